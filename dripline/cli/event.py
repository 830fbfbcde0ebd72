"""`dripline event`: say what happened to a lead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dripline.cli.asking import EXIT_OURS, EXIT_YOURS, WHO, read_settings, refuse
from dripline.settings import Settings


def record_event(
    name: Annotated[str, typer.Argument(help="The event, as the workspace declares it: demo.booked.")],
    lead: Annotated[str, typer.Option(help=WHO)],
    prop: Annotated[
        list[str] | None,
        typer.Option(help="A property, as name=value; may be repeated.", metavar="NAME=VALUE"),
    ] = None,
    properties: Annotated[str | None, typer.Option("--json", help="The properties as a JSON object.")] = None,
    event_id: Annotated[
        str | None, typer.Option("--id", help="An id of yours: a repeat with it changes nothing.")
    ] = None,
) -> None:
    """Record an event of a lead, through the running web process."""
    body: dict[str, Any] = {"name": name, "lead": lead, "properties": _properties(prop or [], properties)}
    if event_id:
        body["id"] = event_id
    status, answer = _post(read_settings(), "/v1/events", body)
    if status == 401:
        refuse("The web process asks for a key: set DRIPLINE_API_KEY to one with the scope events:write.")
    if status >= 400:
        refuse(_said(answer), EXIT_OURS if status >= 500 else EXIT_YOURS)
    typer.echo(f"Recorded {name} of lead {answer['lead']} as event {answer['id']}.")


def _properties(pairs: list[str], text: str | None) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    if text is not None:
        try:
            properties = json.loads(text)
        except ValueError:
            refuse("--json is not valid JSON.")
        if not isinstance(properties, dict):
            refuse("--json must be an object, such as '{\"seats\": 8}'.")
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            refuse("--prop is written name=value, such as --prop seats=8.")
        properties[name] = value
    return properties


def _post(settings: Settings, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    import httpx

    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "localhost") else settings.host  # noqa: S104 - not bound
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"} if settings.api_key else {}
    try:
        answer = httpx.post(address + path, json=body, headers=headers, timeout=30, trust_env=False)
    except httpx.HTTPError:
        refuse(f"Nobody answers at {address}: start `dripline up` (or `dripline serve`) first.")
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        refuse(f"What answers at {address} is not Dripline.")
    return answer.status_code, said


def _said(problem: Mapping[str, Any]) -> str:
    lines = [str(problem.get("detail", "It was refused."))]
    lines += [f"  {error.get('field') or 'request'} {error['detail']}" for error in problem.get("errors", [])]
    return "\n".join(lines)
