"""Structured logs: lines for people on a terminal, one JSON object a line otherwise. They go to standard error."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal

import structlog

_QUIET = (
    "uvicorn",
    "temporalio.worker",
    "httpx",
    "httpcore",
    "alembic",
    "sqlalchemy",
    "twilio.http_client",
    "python_http_client",
)
"""They are talkative, or tell addresses of requests, which may carry a lead's: only their warnings go through."""


def configure_logs(
    level: str = "info", json: bool | Literal["auto", "console", "json"] = "auto", process: str | None = None
) -> None:
    """Send structlog's and the standard library's logs the same way; `auto`: JSON unless on a terminal.

    `process` is named in every JSON line. Addresses and numbers are masked, in whatever field they come.
    """
    as_json = not sys.stderr.isatty() if json == "auto" else json in (True, "json")
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(
        _Masking(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_ending(as_json, process),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _Masking(structlog.stdlib.ProcessorFormatter):
    """Masks the line as it is written: whoever wrote it, with whatever fields, a traceback in it or not."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, nobody's address in it."""
        return mask(super().format(record))


_EMAIL = re.compile(r"([\w.!#$&'*+?^`{|}~-]{1,64})(@|%40)((?:[\w-]{1,63}\.)+[\w-]{2,63})", re.IGNORECASE)
_PHONE = re.compile(r"(?:\+|%2B)[1-9][\d ().-]{5,20}\d", re.IGNORECASE)
"""A number with its country code, however it is grouped. One without cannot be told from an amount."""


def mask(text: str) -> str:
    """The text with every e-mail address and every international phone number in it masked.

    `ani@example.com` becomes `a…@example.com`, `+37491123456` `+374…56`: enough to tell two apart while looking,
    too little to write to.
    """
    if "@" in text or "%40" in text:
        text = _EMAIL.sub(lambda found: f"{found[1][:1]}…{found[2]}{found[3]}", text)
    if "+" in text or "%2" in text:
        text = _PHONE.sub(lambda found: f"{found[0][:4]}…{found[0][-2:]}", text)
    return text


def _ending(as_json: bool, process: str | None) -> list[Any]:
    if not as_json:
        return [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                pad_event_to=0,
                exception_formatter=structlog.dev.plain_traceback,  # others show locals: addresses
            )
        ]

    def name_process(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        return {"process": process, **event} if process else event

    return [
        name_process,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


__all__ = ["configure_logs", "mask"]
