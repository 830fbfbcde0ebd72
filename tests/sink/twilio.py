"""Twilio's Messages resource as its documentation describes it: create, and list with filters and pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from aiohttp import BasicAuth, web

from tests.sink.behaviour import Do
from tests.sink.sendgrid import Refused
from tests.sink.taken import Posted, Taken


def read(request: web.Request, body: bytes, account_sid: str, token: str) -> Posted:
    """The message asked for, or Refused as Twilio would."""
    check_account(request, account_sid, token)
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    sender = form.get("From") or form.get("MessagingServiceSid")
    if not form.get("To"):
        raise Refused(error(400, 21604))
    if not re.fullmatch(r"\+[1-9]\d{6,14}", form["To"]):
        raise Refused(error(400, 21211))
    if not sender:
        raise Refused(error(400, 21603))
    if not form.get("Body"):
        raise Refused(error(400, 21602))
    if len(form["Body"]) > 1600:
        raise Refused(error(400, 21617))
    callback = form.get("StatusCallback")
    keys = parse_qs(urlsplit(callback or "").query).get("key", [""])
    return Posted("twilio", keys[0], form["To"], sender, None, form["Body"], callback=callback)


def check_account(request: web.Request, account_sid: str, token: str) -> None:
    try:
        given = BasicAuth.decode(request.headers.get("Authorization", ""))
    except ValueError:
        raise Refused(error(401, 20003)) from None
    if (given.login, given.password) != (account_sid, token):
        raise Refused(error(401, 20003))
    if request.match_info["account"] != account_sid:
        raise Refused(error(404, 20404))


def success(taken: Taken, account_sid: str) -> web.Response:
    return web.json_response(_resource(taken, account_sid, "queued"), status=201)


def answer(do: Do) -> web.Response:
    """The answer to a message that the sink was told not to take like any other."""
    assert do.status is not None
    if do.code is None:
        return web.Response(status=do.status, text="<html>error</html>", content_type="text/html")
    return error(do.status, do.code)


def error(status: int, code: int) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    words = f"The message cannot be sent ({code})"
    return web.json_response(
        {"code": code, "message": words, "more_info": more, "status": status}, status=status
    )


def page(request: web.Request, taken: list[Taken], account_sid: str) -> web.Response:
    """One page of the messages that match `To`, `From`, `DateSent>` and `DateSent<`, the newest first."""
    query = request.query
    size, number = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
    found = [each for each in reversed(taken) if _matches(each, query)]
    shown = found[number * size : (number + 1) * size]
    following = None
    if len(found) > (number + 1) * size:
        following = (
            f"{request.path}?{urlencode({**query, 'Page': number + 1, 'PageToken': 'PA' + account_sid})}"
        )
    return web.json_response(
        {
            "messages": [_resource(each, account_sid, "delivered") for each in shown],
            "page": number,
            "page_size": size,
            "next_page_uri": following,
            "uri": str(request.rel_url),
        }
    )


def _matches(taken: Taken, query: Any) -> bool:
    if taken.posted.provider != "twilio" or query.get("To", taken.to) != taken.to:
        return False
    if query.get("From", taken.posted.sender) != taken.posted.sender:
        return False
    after, before = query.get("DateSent>"), query.get("DateSent<")
    return (not after or taken.at >= _time(after)) and (not before or taken.at <= _time(before))


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _resource(taken: Taken, account_sid: str, status: str) -> dict[str, Any]:
    service = taken.posted.sender if taken.posted.sender.startswith("MG") else None
    at = format_datetime(taken.at)
    return {
        "sid": taken.id,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": taken.text,
        "date_created": at,
        "date_sent": at,
        "date_updated": at,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if service else taken.posted.sender,
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "status": status,
        "to": taken.to,
        "uri": f"/2010-04-01/Accounts/{account_sid}/Messages/{taken.id}.json",
    }
