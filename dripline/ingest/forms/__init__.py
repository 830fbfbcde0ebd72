"""What a visitor sent by a form: read against the form, then kept of the lead that it is about."""

from __future__ import annotations

from dripline.ingest.forms.reading import Fault, NotAnswered, Submission, read_submission
from dripline.ingest.forms.submitting import Submitted, Visitor, submit

__all__ = ["Fault", "NotAnswered", "Submission", "Submitted", "Visitor", "read_submission", "submit"]
