"""Whether every way of a journey can be taken, and every event that it waits for can come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from jinja2 import nodes

from dripline.language.conditions import Said, filters_of
from dripline.language.constraints import Domain, State, constant_of, holding, key_of, member_key
from dripline.language.expressions import compile_expression, tree_of
from dripline.language.look import Look
from dripline.language.misfits import misfits
from dripline.language.naming import every_step
from dripline.language.positions import Loc
from dripline.language.problems import Problem
from dripline.language.steps import EmailStep, MessageArguments, SmsStep, SplitStep, WaitForStep
from dripline.language.ways import met
from dripline.language.workspace import LEAD_FIELDS, Workspace

ADDRESSES = {"email": "email", "sms": "phone"}
_NAMES = {"email": "e-mail address", "sms": "phone number"}


def living_branches(look: Look) -> Iterator[Problem]:
    """Every condition can hold where it stands: it contradicts neither itself nor those on the way to it.

    Comparisons with constants are followed through branches, `if`, filters and the trigger's `when`, as long as
    nothing can have changed meanwhile: what is known of the lead ends with the next wait.
    """
    filters = {said.loc: said for said in filters_of(look)}
    told = dict(look.ways.dead)
    for loc, source in look.ways.dead:
        if source is None:
            message, hint = "this `else` is never taken: one of the ways before it always is", "remove it"
            yield look.draft.warning(loc, "dead-branch", message, hint)
        else:
            yield from _dead(look, filters.get(loc, Said(loc, source)), True)
    for said in filters.values():
        if said.loc not in told:
            yield from _dead(look, said, False)
    for loc, step in every_step(look.journey.steps):
        for number, arm in enumerate(step.split if isinstance(step, SplitStep) else ()):
            if arm.percent == 0:
                here = (*loc, "split", number, "percent")
                message, hint = "nobody goes this way: it is 0% of the leads", "remove it, or give it a share"
                yield look.draft.warning(here, "dead-branch", message, hint)


def _dead(look: Look, said: Said, known: bool) -> Iterator[Problem]:
    """What is to be told of a condition that is known to be dead on its way, or is by itself."""
    plain = State(look.ways.begin, {})
    alone = not holding(tree_of(said.source), [plain if said.events is None else met(plain, said.events)])
    if not (known or alone) or not _fits(look, said.source, said.events):
        return
    message, hint = "this can never hold", "look at the values that it is compared with"
    if not alone:
        message += " here, after the conditions on the way to it"
        hint = "remove it, or change one of them"
    yield look.draft.warning(said.loc, "dead-branch", message, hint, offset=said.begins)


def _fits(look: Look, source: str, events: tuple[str, ...] | None = None) -> bool:
    """Whether nothing is compared that cannot be: that is told by itself."""
    return not any(misfits(tree_of(source), look.types(events)))


def sendable_messages(look: Look) -> Iterator[Problem]:
    """No message stands where the lead surely has no address or no consent for it, or has left its topic."""
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, (EmailStep, SmsStep)):
            continue
        channel = "email" if isinstance(step, EmailStep) else "sms"
        states = look.ways.before.get(loc, [])
        for key, domain, why in _needs(look, channel, step.message):
            if states and not any(_with(state, key, domain).possible for state in states):
                hint = "move it to another way, or write `transactional: true` if the lead asked for it"
                yield look.draft.warning((*loc, channel), "never-sent", f"this is never sent: {why}", hint)
                break


def _needs(look: Look, channel: str, message: MessageArguments) -> Iterator[tuple[str, Domain, str]]:
    there = Domain(empty=False, never=frozenset({"", 0}))
    yield f"lead.{ADDRESSES[channel]}", there, f"who comes here has no {_NAMES[channel]}"
    if not message.transactional:
        yield f"lead.consent.{channel}", there, f"who comes here has not consented to {channel}"
        topic = message.topic or look.journey.messages.topic
        stays = Domain(never=frozenset({False}))
        yield f"lead.topics.{topic}", stays, f"who comes here has left the topic `{topic}`"


def _with(state: State, key: str, needed: Domain) -> Domain:
    known = state.of(key).none_of(needed.never)
    return known if needed.empty else known.filled()


def emitted_events(look: Look) -> Iterator[Problem]:
    """Every event that a run waits for can still come.

    Events that dripline.yaml declares may be posted by anybody at any time. Those that Dripline emits itself are
    known: `lead.created` comes once, before anybody is in a journey; `lead.updated` names in `changed` what leads
    have; `lead.unsubscribed` comes of a channel that there is, and of a topic that is declared; `lead.confirmed`
    comes by the link that a template has.
    """
    asks = any(link.name == "confirm_link" for file in look.templates.every_file() for link in file.links)
    for loc, events in _awaited(look):
        if set(events) == {"lead.created"}:
            message = "`lead.created` comes once, before the lead is in any journey"
            yield look.draft.warning(loc, "never-emitted", message, "wait for another event")
        if set(events) == {"lead.confirmed"} and not asks:
            message = "`lead.confirmed` never comes: no template has the link by which leads confirm"
            hint = "put `{{ confirm_link() }}` into the message that asks for it"
            yield look.draft.warning(loc, "never-emitted", message, hint)
    for said in filters_of(look):
        tree, events = tree_of(said.source), said.events or ()
        plain = met(State(look.ways.begin, {}), events)
        if not holding(tree, [plain]) or not _fits(look, said.source, events):
            continue
        known = _of_built_in(look.workspace, events, tree)
        if known and not holding(tree, [replace(plain, known={**plain.known, **known})]):
            offset = min(compile_expression(said.source).places.get(key.split(" ")[0], 0) for key in known)
            message, hint = f"`{events[0]}` never comes so", _what_comes(look.workspace, events)
            yield look.draft.warning(said.loc, "never-emitted", message, hint, offset=offset)


def _awaited(look: Look) -> Iterator[tuple[Loc, tuple[str, ...]]]:
    journey = look.journey
    if journey.goal is not None:
        yield ("goal", "event"), journey.goal.event
    for number, exit_ in enumerate(journey.exit):
        yield ("exit", number, "event"), exit_.event
    for loc, step in every_step(journey.steps):
        if isinstance(step, WaitForStep) and step.counts_since in (None, "now"):
            yield (*loc, "wait_for"), step.wait_for.event


def _of_built_in(workspace: Workspace, events: tuple[str, ...], tree: nodes.Node) -> Mapping[str, Domain]:
    """What is known of the properties of those events, all of which Dripline emits itself."""
    known: dict[str, Domain] = {}
    if events and set(events) <= {"lead.unsubscribed", "lead.confirmed", "lead.resubscribed"}:
        known["event.channel"] = Domain(only=frozenset(ADDRESSES))
        known["event.topic"] = Domain(only=frozenset(workspace.topics))
    if set(events) == {"lead.updated"}:
        for node in compared(tree):
            member = constant_of(node.expr)
            asks = node.ops[0].op in ("in", "notin") and key_of(node.ops[0].expr) == "event.changed"
            if asks and member is not None and member not in (*LEAD_FIELDS, *workspace.attributes):
                known[member_key(member, "event.changed")] = Domain(empty=False, only=frozenset({False}))
    return known


def compared(tree: nodes.Node) -> Iterator[nodes.Compare]:
    """Every comparison in an expression."""
    if isinstance(tree, nodes.Compare):
        yield tree
    yield from tree.find_all(nodes.Compare)


def _what_comes(workspace: Workspace, events: tuple[str, ...]) -> str:
    if events[0] == "lead.updated":
        return "`changed` has names as conditions read them: `stage`, `consent`, `first_name`"
    topics = ", ".join(workspace.topics) or "none"
    return f"`channel` is email or sms; the topics are: {topics}"
