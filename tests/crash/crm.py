"""Another system that our webhooks tell: it answers, and at times breaks off after it has taken what was told."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Crm:
    """Listens on the loopback interface; `told` is what it has taken, by Idempotency-Key, once for each try."""

    def __init__(self, seed: int, trouble: float = 0.1) -> None:
        self.told: defaultdict[str, list[Any]] = defaultdict(list)
        draw, lock, crm = random.Random(seed), threading.Lock(), self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    crm.told[self.headers["Idempotency-Key"]].append(body)
                    chance = draw.random() / trouble
                if chance < 0.4:  # taken, and nobody learns of it
                    self.close_connection = True
                    self.connection.close()
                    return
                if chance < 0.6:
                    time.sleep(3.0)
                self._answer(503 if 0.6 <= chance < 1 else 200)

            def _answer(self, status: int) -> None:
                said = b'{"taken": true}' if status == 200 else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args: Any) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except (OSError, ValueError):  # whoever asked was killed, or we broke off
                    return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self._server.server_port}/leads"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="crm", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
