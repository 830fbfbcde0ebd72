"""The mailbox: every message as it looks, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from dripline.drawing.icons import PATHS
from dripline.ingest.refusal import Refused
from dripline.store.house import open_house
from dripline.store.overview import count_messages, find_message, list_messages, mail_headers
from dripline.story.hits import hits_of
from dripline.tracking import Tokens, unmarked
from dripline.web.allowing import allows
from dripline.web.pages.frame import MAIL_POLICY, Frame
from dripline.web.saying import MOMENTS

MESSAGES_A_PAGE = 20

_States = "^(queued|sending|accepted|delivered|bounced|failed|skipped|held|uncertain)$"


def add_mailbox(router: APIRouter, frame: Frame) -> None:
    """Add `/mailbox` and `/messages/ID`."""

    @router.get("/mailbox", dependencies=[allows("read-leads")])
    def mailbox(
        state: Annotated[str | None, Query(pattern=_States)] = None,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        """Messages, newest first."""
        with frame.store.read() as connection:
            rows, more = list_messages(connection, None, (page - 1) * MESSAGES_A_PAGE, MESSAGES_A_PAGE, state)
            states = count_messages(connection)
        return frame.page(
            "mailbox.html",
            here="mailbox",
            messages=rows,
            more=more,
            states=states,
            icons=PATHS,
            chosen={"state": state, "page": page},
        )

    @router.get("/messages/{message}", dependencies=[allows("read-leads")])
    def one_message(message: Annotated[str, Path(max_length=64)]) -> HTMLResponse:
        """One message as it looks."""
        with frame.store.read() as connection:
            row = find_message(connection, message)
            came = hits_of(connection, [message])
            tokens = Tokens(open_house(connection, frame.secret).secret)
            headers = mail_headers(connection, message)
        if row is None:
            raise Refused(404, "unknown-message", "There is no such message.")
        moments = [(name, getattr(row, column)) for name, column in MOMENTS if getattr(row, column)]
        return frame.page(
            "message.html",
            MAIL_POLICY,
            here="mailbox",
            message=row,
            # Who looks at it here is not its reader: no pixel is fetched, and links lead there directly.
            html=unmarked(row.html, tokens) if row.html else None,
            moments=moments,
            came=came,
            headers=headers,
        )
