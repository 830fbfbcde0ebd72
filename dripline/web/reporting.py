"""Reports as they are answered: made as asked, or refused; as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Connection

from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.language.workspace import Workspace
from dripline.reports.catalogue import NotToBeHad, Wanted, make_report
from dripline.reports.period import PeriodError
from dripline.reports.saying import as_csv
from dripline.reports.shapes import Report


def asked_report(connection: Connection, wanted: Wanted, workspace: Workspace, now: datetime) -> Report[Any]:
    """The report; what is wrong with what was asked is refused by field."""
    try:
        return make_report(connection, wanted, workspace, now)
    except PeriodError as error:
        field, _, why = str(error).partition(": ")
        raise invalid([FieldError(field, why)]) from None
    except NotToBeHad as error:
        if error.field == "journey":
            raise Refused(404, "unknown-journey", "There is no published journey of that name.") from None
        raise invalid([FieldError(error.field, error.message)]) from None


def csv_of(made: Report[Any]) -> Response:
    """The report as a file."""
    name = "-".join([made.report, *([made.by] if made.by else []), f"{made.until}"])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(as_csv(made), media_type="text/csv; charset=utf-8", headers=headers)
