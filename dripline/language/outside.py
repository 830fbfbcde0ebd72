"""The steps that leave the process, as a marketer writes them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dripline.language.kinds import Name
from dripline.language.load import Written, wrong
from dripline.language.parsing import ExpressionError
from dripline.language.short_forms import ShortForm
from dripline.language.template_grammar import TemplateError
from dripline.language.texts import reads, split_secrets, texts_of

MAX_TEXTS = 200
"""Texts that one body or one list of arguments may have."""

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "idempotency-key", "user-agent"}
    | {"webhook-id", "webhook-timestamp", "webhook-signature"}
)


def _template(value: str) -> str:
    try:
        reads(value)
    except (TemplateError, ExpressionError) as error:
        raise wrong("bad-template", str(error), error.hint) from None
    return value


def _url(value: str) -> str:
    if not re.match(r"https?://[^/\s{]|\{\{", value):
        raise wrong(
            "bad-url", f"`{value}` is no address of a web service", "write it like `https://example.com/x`"
        )
    return _template(value)


def read_headers(value: dict[str, str]) -> dict[str, str]:
    """Headers of a request, if they may be sent: texts, with secrets only in braces of their own."""
    for name, text in value.items():
        if not _HEADER.fullmatch(name):
            raise wrong("bad-header", f"`{name}` is no name of a header", "write it like `X-Token`", key=name)
        if name.lower() in _OURS:
            raise wrong("bad-header", f"`{name}` is set by us", "leave it out", key=name)
        for kind, piece in split_secrets(text):
            if kind == "text":
                _template(piece)
    return value


def _tree(value: Any) -> Any:
    texts = list(texts_of(value))
    if len(texts) > MAX_TEXTS:
        raise wrong("too-large", f"there are more than {MAX_TEXTS} values", "send less")
    for _, text in texts:
        _template(text)
    return value


def _written_out(value: Any) -> Any:
    return {"function": value} if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Method = Annotated[
    Literal["POST", "GET", "PUT", "PATCH", "DELETE"],
    BeforeValidator(_upper, json_schema_input_type=Literal["POST", "GET", "PUT", "PATCH", "DELETE"]),
]


class WebhookArguments(Written):
    """Where to, and what to say."""

    url: Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_url)] = Field(
        description="The address, like `https://example.com/leads/{{ lead.id }}`."
    )
    method: Method = Field("POST", description="POST, GET, PUT, PATCH or DELETE.")
    headers: Annotated[dict[str, str], Field(max_length=50), AfterValidator(read_headers)] = Field(
        {}, description="Headers, like `Authorization: Bearer {{ secret.crm_token }}`."
    )
    body: Annotated[Any, AfterValidator(_tree)] = Field(
        None, description="What is sent: a mapping goes as JSON, a text as it is."
    )


class CallArguments(Written):
    """Which function, and with what."""

    function: Name = Field(description="A function of extensions.py.")
    with_: Annotated[dict[str, Any], AfterValidator(_tree)] = Field(
        {}, alias="with", description="Its arguments by name, like `total: '{{ event.total }}'`."
    )


Webhook = Annotated[
    WebhookArguments,
    ShortForm(lambda value: {"url": value} if isinstance(value, str) else value, "url"),
]
Call = Annotated[CallArguments, ShortForm(_written_out, "function")]
