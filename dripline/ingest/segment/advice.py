"""What to do about a name that had no place: what was perhaps meant, and the line that says so."""

from __future__ import annotations

from typing import Any

from dripline.ingest.segment.taking import ONLY_SERVERS
from dripline.ingest.segment.wording import word
from dripline.language.problems import did_you_mean
from dripline.language.workspace import BUILT_IN_EVENTS, Workspace


def advice(stray: Any, workspace: Workspace) -> str:
    """In a sentence, for the author of the workspace file. `stray` has kind, event, name and why."""
    if stray.why.startswith("is `"):
        return "nothing to do: it is not theirs to tell"
    if stray.why.endswith(ONLY_SERVERS):
        return "let your server send it, by `Authorization: Bearer` and a key with the scope `events:write`"
    if stray.why != "is not declared":
        return "send what it must hold"
    spelt = word(stray.name)
    if stray.kind == "event":
        ours = [name for name in workspace.declared if name not in BUILT_IN_EVENTS]
        near = did_you_mean(spelt.replace(" ", "."), ours)
        return (
            f"{near}: map it under `tracking_api: events`"
            if near
            else "declare it under `events`, or leave it"
        )
    if stray.kind == "property":
        near = did_you_mean(spelt.replace(" ", "_"), workspace.events.get(stray.event, {}))
        map_it = f"map it under `tracking_api: events`, in the `properties` of `{stray.event}`"
        return f"{near}: {map_it}" if near else f"declare it under `events`, in `{stray.event}`, or leave it"
    near = did_you_mean(spelt.replace(" ", "_"), workspace.attributes)
    return (
        f"{near}: map it under `tracking_api: traits`"
        if near
        else "declare it under `attributes`, or leave it"
    )
