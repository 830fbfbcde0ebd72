"""E-mail addresses of roles: whoever has the role reads them, so that no one person can have agreed to anything.

The names are those of RFC 2142, those that mail services refuse for lists besides
(https://mailchimp.com/help/limits-on-role-based-addresses/), and those that companies here use.
"""

from __future__ import annotations

import re

TECHNICAL = frozenset(
    """
    abuse postmaster hostmaster webmaster noc security spam mailer-daemon root uucp usenet ftp www
    noreply no-reply donotreply do-not-reply nobody null devnull undisclosed-recipients bounce bounces
    mailerdaemon maildaemon phish phishing dns devops registrar sysadmin unsubscribe remove list-request
    """.split()  # noqa: SIM905  (a list of words reads better as words)
)
"""Addresses of machines and of those who look after them: whoever writes marketing to them is taken for a spammer."""

ROLES = TECHNICAL | frozenset(
    """
    info information contact contacts contactus hello hi mail email office team company staff all everyone
    admin administrator administration support help helpdesk service services customerservice customercare care
    sales sale marketing advertising ads partners partnership business b2b export import logistics
    tech welcome list subscribe billing invoice invoices accounts accounting accountant finance payments payroll
    buh buhgalteria hr jobs job career careers cv recruiting recruitment kadry personal
    press media pr news newsletter editor editors redakciya redaction
    legal privacy gdpr dpo compliance feedback enquiries enquiry inquiries inquiry request requests
    order orders shop store zakaz zakazy prodazhi prodaji opt otdel priemnaya pochta reception secretary
    booking bookings reservation reservations events director ceo manager it dev webadmin
    """.split()  # noqa: SIM905
)
"""The roles: an address of one reaches whoever has the shift, if anybody."""

_PARTS = re.compile(r"[._-]")
_DIGITS = re.compile(r"[0-9]+$")


def is_role_address(email: str) -> bool:
    """Whether the address is a role's: `info@`, `sales2@`, `info.am@`, `customer-service@`, `sales+x@`."""
    return _is_one_of(email, ROLES)


def is_technical_address(email: str) -> bool:
    """Whether the address is one that nobody sends marketing to: `abuse@`, `postmaster@`, `no-reply@`."""
    return _is_one_of(email, TECHNICAL)


def _is_one_of(email: str, words: frozenset[str]) -> bool:
    local = email.rpartition("@")[0].partition("+")[0].casefold()
    name = _DIGITS.sub("", local).rstrip("._-")
    parts = [part for part in _PARTS.split(name) if part]
    if name in words or "".join(parts) in words:
        return True
    rest = [part for part in parts if part not in words]
    return len(rest) < len(parts) and all(len(part) <= 2 for part in rest)  # `info.am@`, but not `ani.info@`
