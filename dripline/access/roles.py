"""What people may do on the pages: four roles, each of which may do what the one before it may, and more."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["viewer", "author", "publisher", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

Act = Literal["look", "read-leads", "steer", "govern"]

ACTS: dict[Act, tuple[Role, str]] = {
    "look": ("viewer", "see journeys, numbers and where runs stand, without anybody's name"),
    "read-leads": ("author", "see leads with their stories, and messages as they look"),
    "steer": ("publisher", "pause journeys, stop everything, and answer what is held"),
    "govern": ("admin", "look after people, keys and the audit log"),
}
"""What can be done, from which role on, and in words."""


def may(role: str | None, act: Act) -> bool:
    """Whether somebody of that role may do that."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(ACTS[act][0])
