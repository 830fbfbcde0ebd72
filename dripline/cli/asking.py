"""What the commands that only ask or tell have in common: settings, refusals, plain text."""

from __future__ import annotations

from typing import NoReturn

import typer
from pydantic import ValidationError

from dripline.settings import Settings

EXIT_YOURS, EXIT_OURS = 1, 3

WHO = "A lead's id, external id, e-mail address or phone number."


def read_settings() -> Settings:
    """The settings, or the end of the command with what is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False):
            typer.echo(f"DRIPLINE_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}", err=True)
        raise typer.Exit(EXIT_YOURS) from None


def refuse(message: str, code: int = EXIT_YOURS) -> NoReturn:
    """End the command with that message and exit code."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def clean(text: str) -> str:
    """A text without control characters: what leads wrote must not steer the terminal."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
