"""What can be told of an address or a number without asking anybody: whose it may be, and whether it is mistyped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Literal

import phonenumbers
from disposable_email_domains import blocklist
from phonenumbers import PhoneNumberType

from dripline.language.role_addresses import is_role_address

EmailKind = Literal["personal", "role", "mistyped", "disposable"]
PhoneKind = Literal["personal", "landline", "switchboard", "invalid"]

_SWITCHBOARDS = {
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.PAGER,
}
_PROVIDERS = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "yandex.ru", "rambler.ru")
_ENDINGS = {"com": ("con", "cmo", "ocm", "om", "cm", "comm", "xom", "vom", "co"), "ru": ("ry", "tu", "ur")}


@lru_cache(maxsize=10_000)
def email_kind(email: str) -> EmailKind:
    """Whose a (normal) e-mail address is."""
    domain = email.rpartition("@")[2].casefold()
    if meant_domain(email):
        return "mistyped"
    if domain in blocklist:
        return "disposable"
    return "role" if is_role_address(email) else "personal"


def meant_domain(email: str) -> str | None:
    """The provider that was surely meant, where the address has one of the usual slips: `gmial.com`."""
    return _slips().get(email.rpartition("@")[2].casefold())


@lru_cache(maxsize=10_000)
def phone_kind(phone: str) -> PhoneKind:
    """Whose a number (E.164) is, by the plan of its country."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return "invalid"
    if not phonenumbers.is_valid_number(number):
        return "invalid"
    kind = phonenumbers.number_type(number)
    if kind in _SWITCHBOARDS:
        return "switchboard"
    return "landline" if kind == PhoneNumberType.FIXED_LINE else "personal"


@cache
def _slips() -> dict[str, str]:
    """Every usual slip, with what was meant: two letters changed places, one missing or doubled, a wrong ending."""
    found = {slip: domain for domain in _PROVIDERS for slip in _of(domain)}
    return {slip: domain for slip, domain in found.items() if slip not in _PROVIDERS}


def _of(domain: str) -> Iterator[str]:
    name, _, ending = domain.partition(".")
    for at in range(len(name)):
        yield f"{name[: at + 1]}{name[at:]}.{ending}"
    for at in range(1, len(name)):  # without their first letter they are others' names: cloud.com, mail.com
        yield f"{name[:at]}{name[at + 1 :]}.{ending}"
    for at in range(len(name) - 1):
        yield f"{name[:at]}{name[at + 1]}{name[at]}{name[at + 2 :]}.{ending}"
    for slip in _ENDINGS[ending]:
        yield f"{name}.{slip}"
    yield f"{name}{ending}.{ending}"  # no point
