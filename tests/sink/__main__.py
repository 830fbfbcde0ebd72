"""`python -m tests.sink --port 9025`: the sink as a process; prints one line of JSON with what to set."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading

from tests.sink import NAMED, Behaviour, Sink, Webhooks


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sink", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--mix", default="", help=f"say accept-and-drop=0.1,throttle=0.1 of {', '.join(NAMED)}"
    )
    parser.add_argument("--sendgrid-webhook", help="URL that SendGrid's events are posted to")
    parser.add_argument("--no-webhooks", action="store_true")
    given = parser.parse_args()
    mix = [(float(share), NAMED[name]) for name, _, share in _pairs(given.mix)]
    sink = Sink(
        Behaviour(mix=mix, seed=given.seed),
        Webhooks(on=not given.no_webhooks, sendgrid_url=given.sendgrid_webhook),
        port=given.port,
    )
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with sink:
        settings = {
            "DRIPLINE_SENDGRID_API_KEY": sink.api_key,
            "DRIPLINE_SENDGRID_BASE_URL": sink.url,
            "DRIPLINE_SENDGRID_WEBHOOK_KEY": sink.sendgrid_webhook_key,
            "DRIPLINE_TWILIO_ACCOUNT_SID": sink.account_sid,
            "DRIPLINE_TWILIO_AUTH_TOKEN": sink.auth_token,
            "DRIPLINE_TWILIO_BASE_URL": sink.url,
        }
        sys.stdout.write(json.dumps(settings) + "\n")
        sys.stdout.flush()
        ended.wait()


def _pairs(text: str) -> list[tuple[str, str, str]]:
    return [pair.partition("=") for pair in text.split(",") if pair]


if __name__ == "__main__":
    main()
