"""SendGrid's mail/send as its documentation describes it: which body is taken, and how refusals look."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.sink.behaviour import Do
from tests.sink.taken import Posted, Taken

_WORDS = {
    400: "Bad Request",
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "The from address does not match a verified Sender Identity.",
    404: "Not Found",
    413: "The JSON payload you have included in your request is too large.",
    415: "The content type is not supported.",
    429: "too many requests",
}


class Refused(Exception):
    """The request is not as documented."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def read(request: web.Request, body: bytes, api_key: str) -> Posted:
    """The message asked for, or Refused as SendGrid would."""
    if request.headers.get("Authorization") != f"Bearer {api_key}":
        raise Refused(error(401))
    if request.content_type != "application/json":
        raise Refused(error(415))
    try:
        asked = json.loads(body)
        return _posted(asked)
    except ValueError:
        raise Refused(error(400)) from None
    except (LookupError, TypeError, AttributeError):
        raise Refused(error(400, "personalizations")) from None


def success(taken: Taken) -> web.Response:
    return web.Response(status=202, headers={"X-Message-Id": taken.id})


def answer(do: Do) -> web.Response:
    """The answer to a message that the sink was told not to take like any other."""
    assert do.status is not None
    if do.status < 300:
        return web.Response(status=do.status)
    field = "personalizations.0.to.0.email" if do.status == 400 else None
    return error(do.status, field)


def error(status: int, field: str | None = None, message: str | None = None) -> web.Response:
    words = message or _WORDS.get(status, "Internal error")
    return web.json_response({"errors": [{"message": words, "field": field, "help": None}]}, status=status)


def _posted(asked: dict[str, Any]) -> Posted:
    (personalization,) = asked["personalizations"]
    (to,) = personalization["to"]
    arguments = personalization.get("custom_args", {})
    texts = {content["type"]: content["value"] for content in asked["content"]}
    _require("@" in to["email"], "personalizations.0.to.0.email")
    _require("@" in asked["from"]["email"], "from.email")
    _require(bool(asked.get("subject")), "subject")
    _require(bool(texts) and all(texts.values()), "content.0.value")
    _require(list(texts) == sorted(texts, reverse=True), "content")  # text/plain before text/html
    _require(all(isinstance(value, str) for value in arguments.values()), "personalizations.0.custom_args")
    headers = asked.get("headers", {})
    _require(all(isinstance(value, str) for value in headers.values()), "headers")
    return Posted(
        provider="sendgrid",
        key=arguments.get("dripline_key", ""),
        to=to["email"],
        sender=asked["from"]["email"],
        sender_name=asked["from"].get("name"),
        subject=asked["subject"],
        text=texts.get("text/plain", ""),
        html=texts.get("text/html"),
        headers=tuple(headers.items()),
        reply_to=asked.get("reply_to", {}).get("email"),
        untouched=asked.get("tracking_settings")
        == {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        },
    )


def _require(holds: bool, field: str) -> None:
    if not holds:
        raise Refused(error(400, field, "Does not contain a valid value."))
