"""E-mail addresses of roles: whoever has the role reads them, so that no one person can have agreed to anything.

The names are those of RFC 2142, and those that mail services refuse for lists besides
(https://mailchimp.com/help/limits-on-role-based-addresses/).
"""

from __future__ import annotations

_NAMES = """
abuse info marketing noc postmaster root sales security support hostmaster usenet news webmaster www uucp ftp
mailer-daemon mailerdaemon maildaemon no-reply noreply donotreply do-not-reply null devnull nobody bounce bounces
admin administrator billing accounting accounts compliance contact customerservice devops dns enquiries everyone
feedback finance hello help helpdesk hr inquiries invoices it jobs legal list list-request mail media office orders
phish phishing press privacy reception registrar remove request service spam subscribe sysadmin team tech
undisclosed-recipients unsubscribe welcome
"""
ROLES = frozenset(_NAMES.split())
"""The part before the `@`, in small letters and without what follows a `+`."""


def is_role_address(address: str) -> bool:
    """Whether an e-mail address is a role's: `Info+shop@example.com` is, `ani@example.com` is not."""
    name = address.rpartition("@")[0].partition("+")[0].strip().casefold()
    return name in ROLES
