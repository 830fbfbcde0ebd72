"""The story of a lead: everything that happened to it and every decision, in order, each with its reason.

The one place that has the words: `dripline why`, `dripline test`, the lead's page and the API tell the same.
"""

from __future__ import annotations

from dripline.story.lines import say_time, standing
from dripline.story.telling import Entry, RunLine, Story, tell
from dripline.story.words import describe

__all__ = ["Entry", "RunLine", "Story", "describe", "say_time", "standing", "tell"]
