"""A thousand kinds of rubbish: what callers, scanners and broken programs send."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

LONG = 20_000
"""Characters of texts by which a slow regular expression would be noticed."""

SLOW = (
    "a" * LONG + "!",
    "@" * LONG,
    "a@" * (LONG // 2),
    "a@" + "b." * (LONG // 2),
    "1" * LONG + "x",
    "+" + "1 " * (LONG // 2),
    " " * LONG + "x",
    "\t\n" * (LONG // 2),
    "https://" + "a/" * (LONG // 2) + "?" + "&" * LONG,
    "aA" * (LONG // 2),
    "_-. " * (LONG // 4),
    "{{" * (LONG // 2),
    "<a href='" * (LONG // 9),
    "2026-01-01T" + "0" * LONG,
    "%25" * (LONG // 3),
    "=?utf-8?b?" * (LONG // 10),
    ">" * LONG + "\n>" * (LONG // 2),
)
"""Texts that a careless regular expression takes for ever to refuse."""

TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202e\u0000\u200b",
    "'; DROP TABLE leads; --",
    "{{ 7 * 7 }}",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\r\nSet-Cookie: a=b",
    "=1+1",
    "ï»¿",
    "𝕏" * 300,
    "null",
)

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e308, 2**63, -(2**70), 10**400),
    *([], {}, [[]], [None], [[[[[]]]]], {"": ""}, {"a": {"b": {"c": 1}}}, [1, "a", None, {}]),
    {"__proto__": {"x": 1}, "id": {"$gt": ""}},
    *TEXTS,
    *SLOW[:6],
)


def deep(levels: int) -> str:
    """A list in a list, so many levels deep."""
    return "[" * levels + "]" * levels


BODIES: tuple[bytes, ...] = (
    *(
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b'""',
        b"0",
        b"true",
        b"nul",
        b"{",
        b"}",
        b"[1,",
        b'{"a":',
        b'{"a" 1}',
    ),
    *(b"NaN", b"Infinity", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": ' + b"9" * 5_000 + b"}", b"-0", b"1e-400"),
    *(b'{"a": "\\u0000"}', b'{"\\u0000": 1}', b'{"a": "\\ud800"}', b'{"a": "\\ud800\\ud800"}'),
    *(b"\xff\xfe", b'{"a": "\xff"}', b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16"), b"\x00" * 100),
    *(b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 2}}', b"{'a': 1}", b"{a: 1}", b"// x\n{}", b'{"a": 1}{}'),
    *(deep(40).encode(), deep(50_000).encode(), b'{"a":' * 3_000 + b"1" + b"}" * 3_000),
    b'{"a": "' + b"x" * 900_000 + b'"}',
    b"[" + b"0," * 200_000 + b"0]",
    b'{"a": 1' + b', "b%d": 1' * 1_000 + b"}",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
    b"a=1&b=2&" * 5_000,
    b"%ff%00=%ff&&&===",
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
    b"--x\r\nContent-Disposition: form-data\r\n\r\n",
    b'--x\r\nContent-Disposition: form-data; name="a"; filename="../../x"\r\n\r\n1',
    gzip.compress(b'{"a": 1}')[:-6],
    gzip.compress(b'{"a": 1}'),
    bytes(range(256)) * 8,
)

KINDS: tuple[dict[str, str], ...] = (
    {"Content-Type": "application/json"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Type": "text/plain", "Content-Encoding": "gzip"},
)
"""What a body may be said to be: each body is sent by each of these."""

ODD_KINDS: tuple[dict[str, str], ...] = (
    {},
    {"Content-Type": ""},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Type": "application/xml"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "multipart/form-data; boundary=" + "x" * 5_000},
    {"Content-Type": "/" * 500},
    {"Content-Type": "application/json", "Content-Encoding": "br"},
    {"Content-Type": "application/json", "Content-Encoding": "gzip, gzip"},
    {"Content-Type": "application/json", "Idempotency-Key": ""},
    {"Content-Type": "application/json", "Idempotency-Key": "x" * 5_000},
    {"Content-Type": "application/json", "Accept": "text/html", "Accept-Language": ";q=,;;" * 2_000},
    {"Content-Type": "application/json", "Cookie": "=;;" * 2_000},
    {"Content-Type": "application/json", "Referer": "http://[", "User-Agent": "a(" * 4_000},
)

SEGMENTS = (
    *(
        "0",
        "-1",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "a%2Fb",
        "%00",
        "%ff",
        "%ed%a0%80",
        "%E2%80%AE",
        "%0d%0aX:y",
    ),
    *(
        "'%20OR%201=1",
        "%7B%7B7*7%7D%7D",
        "x" * 128,
        "x" * 4_000,
        "a." * 2_000,
        "A" * 300 + "!",
        "%F0%9D%95%8F" * 200,
    ),
)
"""What stands in the place of an id in an address."""


def spoilt(example: Any) -> Iterator[Any]:
    """The example with each of its fields in turn, at any depth, made each kind of rubbish, left out, or doubled."""
    if not isinstance(example, dict):
        yield from VALUES
        return
    for name, value in example.items():
        yield {key: one for key, one in example.items() if key != name}
        for rubbish in VALUES:
            yield {**example, name: rubbish}
        if isinstance(value, dict):
            for inner in spoilt(value):
                yield {**example, name: inner}
        elif isinstance(value, list) and value:
            for rubbish in VALUES[::3]:
                yield {**example, name: [rubbish]}
    yield {**example, "surely no field": 1}


def as_body(value: Any) -> bytes:
    """JSON, half characters and all."""
    return json.dumps(value).encode("utf-8", "surrogatepass")
