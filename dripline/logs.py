"""Structured logs: lines for people on a terminal, one JSON object a line otherwise. They go to standard error."""

from __future__ import annotations

import logging
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

    `process` is named in every JSON line. Nothing is masked here: mask before you log.
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
        structlog.stdlib.ProcessorFormatter(
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


def mask_email(address: str) -> str:
    """`ani@example.com` as `a…@example.com`: enough to tell two apart while looking, too little to write to."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else "…"


def mask_phone(number: str) -> str:
    """`+37491123456` as `+374…56`."""
    return f"{number[:4]}…{number[-2:]}" if len(number) >= 8 else "…"


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


__all__ = ["configure_logs", "mask_email", "mask_phone"]
