"""Conditions in words, as far as they are of the usual kinds; what is not stands as it is written."""

from __future__ import annotations

from jinja2 import nodes

from dripline.explaining.phrases import Phrases
from dripline.language.grammar import dotted_path
from dripline.language.parsing import parse, tokenize

_CONSENT = "lead.consent."


def say_condition(source: str, phrases: Phrases) -> str:
    """A condition that the check has let through."""
    said = _condition(parse(source, tokenize(source)), phrases)
    return said if said is not None else phrases.code.format(text=source)


def say_value(source: str, phrases: Phrases) -> str:
    """An expression for a value: `trigger.starts_at`."""
    said = _value(parse(source, tokenize(source)), phrases)
    return said if said is not None else phrases.code.format(text=source)


def _condition(node: nodes.Node, phrases: Phrases) -> str | None:
    match node:
        case nodes.And() | nodes.Or():
            form = phrases.and_ if isinstance(node, nodes.And) else phrases.or_
            return _both(form, _condition(node.left, phrases), _condition(node.right, phrases))
        case nodes.Not():
            return _is_there(node.node, phrases, negated=True)
        case nodes.Compare() if len(node.ops) == 1:
            return _compared(node.expr, node.ops[0], phrases)
    return _is_there(node, phrases, negated=False)


def _is_there(node: nodes.Node, phrases: Phrases, *, negated: bool) -> str | None:
    path = dotted_path(node)
    if path is None:
        return None
    if path.removeprefix(_CONSENT) in phrases.agreed and path.startswith(_CONSENT):
        return phrases.agreed[path.removeprefix(_CONSENT)][negated]
    form = phrases.unknown if negated else phrases.known
    return form.format(one=_path(path, phrases))


def _compared(left: nodes.Node, operand: nodes.Operand, phrases: Phrases) -> str | None:
    one, other = _value(left, phrases), _value(operand.expr, phrases)
    path = dotted_path(operand.expr)
    if operand.op in ("in", "notin") and path is not None:  # 'vip' in lead.tags
        return _both(phrases.has if operand.op == "in" else phrases.has_not, other, one)
    forms = {
        "eq": phrases.is_,
        "ne": phrases.is_not,
        "gt": phrases.more,
        "gteq": phrases.at_least,
        "lt": phrases.less,
        "lteq": phrases.at_most_,
        "in": phrases.one_of,
        "notin": phrases.none_of,
    }
    return _both(forms[operand.op], one, other)


def _both(form: str, one: str | None, other: str | None) -> str | None:
    return None if one is None or other is None else form.format(one=one, other=other)


def _value(node: nodes.Node, phrases: Phrases) -> str | None:
    path = dotted_path(node)
    if path is not None:
        return _path(path, phrases)
    match node:
        case nodes.Const():
            return _constant(node.value, phrases)
        case nodes.List() | nodes.Tuple():
            items = [_value(item, phrases) for item in node.items]
            found = [item for item in items if item is not None]
            return phrases.comma.join(found) if len(found) == len(items) else None
        case nodes.Neg():
            inner = _value(node.node, phrases)
            return None if inner is None else f"−{inner}"
    return None


def _constant(value: object, phrases: Phrases) -> str:
    if isinstance(value, bool):
        return phrases.words[str(value).lower()]
    return phrases.quoted.format(text=value) if isinstance(value, str) else str(value)


def _path(path: str, phrases: Phrases) -> str:
    if path in phrases.words:
        return phrases.words[path]
    name, _, rest = path.partition(".")
    field = phrases.fields.get(rest, rest.replace("_", " ").replace(".", " "))
    match name:
        case "lead" if rest:
            return phrases.of_lead.format(field=field)
        case "event" | "trigger" if rest:
            return phrases.of_event.format(field=field)
    return phrases.of_other.format(field=field, name=name) if rest else phrases.code.format(text=name)
