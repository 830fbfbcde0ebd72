"""`dripline try`: walk a journey oneself, with real messages, in fast-forward."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from dripline.cli.asking import EXIT_OURS, EXIT_YOURS, read_settings, refuse
from dripline.cli.check import tell
from dripline.clock import machine_clock
from dripline.language.plan import Duration, MessageStep, Plan
from dripline.language.workspace import FILE, Workspace

if TYPE_CHECKING:
    from dripline.settings import Settings
    from dripline.trying.starting import Given
    from dripline.trying.walking import Wanted

EXIT_USAGE = 2


def register(app: typer.Typer) -> None:
    """Add `dripline try`."""
    app.command("try")(walk)


def walk(
    journey: Annotated[str, typer.Argument(help="The journey's id, as its file is named.")],
    email: Annotated[
        str, typer.Option("--as", metavar="EMAIL", help="Your address: the lead's. It must be allowed.")
    ],
    phone: Annotated[
        str | None, typer.Option(help="Your number, for SMS that really leave. It must be allowed.")
    ] = None,
    locale: Annotated[
        str | None, typer.Option(help="The lead's language: hy. Without it the workspace's first.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Where the lead is: Asia/Yerevan. Without it the workspace's.")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="The lead's country: AM. Without it the workspace's.")
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="What the lead is like: first_name=Ani, stage=customer, consent.sms=false; may be repeated."
            " NAME= leaves out what would be made up.",
        ),
    ] = None,
    event: Annotated[
        str | None, typer.Option(help="The event to enter by, where the trigger names several.")
    ] = None,
    event_property: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A property of that event: seats=8; may be repeated."),
    ] = None,
    send: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="What the lead does, for scripts: 'after 3 days demo.booked seats=8', or"
            " 'after 1 day lead.updated stage=customer'; counted from the start; may be repeated.",
        ),
    ] = None,
    day: Annotated[str, typer.Option(help="How long a day of the journey takes, from 1s to 1 day.")] = "5s",
    call: Annotated[
        bool, typer.Option("--call", help="Let its `webhook` and `call` steps really call other systems.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the folder, to look at afterwards; its path is told.")
    ] = False,
) -> None:
    """Walk a journey yourself, with real messages, in fast-forward; from the files as they are now.

    A throw-away installation starts beside the real one, a made-up lead with
    your address enters the journey, and you are told what happens as it does.
    Nothing real is touched: no store, no published journey, no limit.

    At a terminal you choose what the lead does; `s` skips a wait, `q` leaves.

    Messages leave to those only whom dripline.yaml allows, in production too.
    Without a provider's keys they are in a mailbox whose address is told.

    Ends with 0 when the run has ended or you left, 1 if the files have
    problems or the run would wait for ever, 2 if the command is wrong.
    """
    from dripline.trying.starting import Given

    settings = read_settings()
    length = _day(day)
    plans, workspace = _gathered(settings.workspace, journey)
    plan = plans[journey]
    said = {
        "phone": phone,
        "locale": locale,
        "timezone": timezone,
        "country": country,
        **_pairs(attribute, "--attribute"),
    }
    _may_call(plans.values(), call)
    given = Given(
        _allowed(email, None, workspace),
        {name: value for name, value in said.items() if value is not None},
        event,
        _pairs(event_property, "--event-property"),
    )
    wanted = _wanted(settings, plan, workspace, given, send or [], length)
    raise typer.Exit(_run(settings, plans, wanted, keep=keep))


def _gathered(root: Path, journey: str) -> tuple[dict[str, Plan], Workspace]:
    from dripline.trying.gathering import HasProblems, NoJourney, gather

    console = Console(highlight=False, soft_wrap=True)
    try:
        project, plans = gather(root, journey)
    except NoJourney as reason:
        refuse(str(reason))
    except HasProblems as found:
        tell(found.project, console)
        raise typer.Exit(EXIT_YOURS) from None
    if project.problems:
        tell(project, console)
    assert project.workspace is not None
    return plans, project.workspace


def _allowed(email: str | None, phone: str | None, workspace: Workspace) -> str:
    """The address or number, if the workspace allows it; or the end of the command with the line to add."""
    from dripline.ingest.identity import NotNormal, normal_email, normal_phone

    try:
        address = (
            normal_email(email) if email is not None else normal_phone(phone or "", workspace.default_region)
        )
    except NotNormal as error:
        _usage(f"--{'phone' if email is None else 'as'} {error}.")
    if not workspace.allows(address):
        entry = f'"{address}"' if email is None else address
        where = "below `allow:`" if workspace.allow else "at its end"
        line = f"  - {entry}" if workspace.allow else f"allow:\n  - {entry}"
        refuse(
            f"{address} is not on the list of those who may be messaged outside production, and `dripline try`"
            f" keeps to it everywhere.\nAdd to {FILE}, {where}:\n\n{line}\n"
        )
    return address


def _pairs(pairs: list[str] | None, option: str) -> dict[str, str]:
    from dripline.trying.acts import Misunderstood, read_values

    try:
        return read_values(pairs or [])
    except Misunderstood as problem:
        _usage(f"{option}: {problem}, such as {option} seats=8.")


def _wanted(
    settings: Settings,
    plan: Plan,
    workspace: Workspace,
    given: Given,
    send: list[str],
    day: timedelta,
) -> Wanted:
    """What is to be walked, made up where nothing was said; or the end of the command."""
    from dripline.trying.acts import Misunderstood, read_order
    from dripline.trying.starting import STORY_NUMBER, CannotEnter, start_of
    from dripline.trying.walking import Wanted

    real = _leaves(settings)
    if given.lead.get("phone"):
        given = replace(given, lead={**given.lead, "phone": _allowed(None, given.lead["phone"], workspace)})
    elif not real["sms"] and "sms" in _channels(plan):
        given = replace(given, lead={"phone": STORY_NUMBER, **given.lead})
    orders = []
    for text in send:
        try:
            orders.append(read_order(text, workspace))
        except Misunderstood as problem:
            _usage(f"--send '{text}': {problem}")
    try:
        start = start_of(plan, workspace, given, machine_clock())
    except (CannotEnter, Misunderstood) as problem:
        _usage(str(problem))
    orders.sort(key=lambda order: _roughly(order.after))
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return Wanted(plan, workspace, given, start, orders, day, at_terminal, real)


def _leaves(settings: Settings) -> dict[str, bool]:
    """By channel, whether messages leave by a real provider."""
    twilio = settings.twilio_account_sid and settings.twilio_auth_token
    return {"email": settings.sendgrid_api_key is not None, "sms": bool(twilio)}


def _channels(plan: Plan) -> set[str]:
    return {step.channel for step in plan.steps if isinstance(step, MessageStep)}


def _may_call(plans: Iterable[Plan], call: bool) -> None:
    """Other systems are called only where that was said: a lead that is made up is no news to them."""
    from dripline.trying.gathering import calls

    called = calls(plans)
    if called and not call:
        told = "".join(f"\n  {one}" for one in called)
        _usage(
            f"It calls other systems, which would take the lead for a real one:{told}\nSay --call to let it."
        )


def _day(text: str) -> timedelta:
    from dripline.language.durations import DurationError, parse_duration

    try:
        duration = parse_duration(text)
    except DurationError as error:
        _usage(f"--day: {error}; {error.hint}")
    length = timedelta(days=duration.days, seconds=duration.seconds)
    if duration.months or not timedelta(seconds=1) <= length <= timedelta(days=1):
        _usage("--day: say a time between 1s and 1 day.")
    return length


def _roughly(after: Duration) -> int:
    return (after.months * 30 + after.days) * 86_400 + after.seconds


def _usage(message: str) -> NoReturn:
    refuse(message, EXIT_USAGE)


def _run(settings: Settings, plans: Mapping[str, Plan], wanted: Wanted, *, keep: bool) -> int:
    from dripline.logs import configure_logs
    from dripline.stack.supervise import StartFailed
    from dripline.stack.up import CannotStart
    from dripline.trying.running import run
    from dripline.trying.walking import NotEntered

    configure_logs("error", "console", "try")
    console = Console(highlight=False, soft_wrap=True, markup=False)
    try:
        return run(settings, plans, wanted, console, keep=keep)
    except CannotStart as reason:
        refuse(f"Cannot start: {reason}.")
    except NotEntered as reason:
        refuse(str(reason))
    except StartFailed as reason:
        refuse(f"Could not start: {reason}; its lines above say why.", EXIT_OURS)
