"""`retention` of the workspace file: what is kept for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from dripline.language.durations import say_duration
from dripline.language.kinds import Length
from dripline.language.load import Written, wrong
from dripline.language.plan import Duration


def _long_enough(value: Duration) -> Duration:
    if value.months == 0 and value.days * 86_400 + value.seconds < 86_400:
        said = say_duration(value)
        raise wrong("bad-duration", f"nothing can be kept for {said} alone", "say at least `1 day`")
    return value


Kept = Annotated[Length, AfterValidator(_long_enough)]


class Retention(Written):
    """For how long what is kept; what is not named is kept for good."""

    messages: Kept | None = Field(
        None, description="Texts of messages; that they were sent, to whom and when stays."
    )
    events: Kept | None = Field(
        None, description="Properties of events of leads who are in no journey; that they happened stays."
    )
    replies: Kept | None = Field(None, description="What leads wrote back.")
    comments: Kept | None = Field(
        None, description="Words that leads put to their answers in surveys; the answers stay."
    )
    hits: Kept | None = Field(
        None, description="Opens and clicks one by one; the first of each message stays."
    )
    mailbox: Kept | None = Field(None, description="Copies in the local mailbox.")
    imports: Kept | None = Field(
        None, description="What imports changed of leads: after that they cannot be undone."
    )
    anonymous: Kept | None = Field(
        None,
        description="Visitors without a name, an address or a number: erased so long after their last event.",
    )
    idle: Kept | None = Field(
        None,
        description="Leads without consent, in no journey: erased so long after the last thing that happened to them.",
    )
    audit: Kept | None = Field(None, description="Lines of the audit log, but for the newest of each kind.")
