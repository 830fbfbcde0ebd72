"""Known ways out of template sandboxes, collected from security advisories and payload lists for Jinja.

Sources: CVE-2016-10745 (`format`), CVE-2019-10906 (`format_map`), CVE-2024-56326 (`format` by reference),
CVE-2025-27516 (`attr`), and the public collection PayloadsAllTheThings, "Server Side Template Injection: Jinja2".
"""

from __future__ import annotations

import pytest

from dripline.language.expressions import Empty, EvaluationError, ExpressionError, compile_expression
from dripline.language.plan import TemplateSource
from dripline.rendering import RenderError, render
from tests.engine.plans import email, plan

ESCAPES = [
    "''.__class__.__mro__[1].__subclasses__()",
    "''['__class__']['__mro__']",
    "''|attr('__class__')",
    "''|attr('\\x5f\\x5fclass\\x5f\\x5f')",
    "lead|attr('__init__')|attr('__globals__')",
    "[lead]|map(attribute='__class__')|list",
    "[lead]|map('attr', '__class__')|first",
    "[lead]|groupby('__class__')|first",
    "[lead]|selectattr('__class__')|first",
    "[lead]|sort(attribute='__class__')|first",
    "[lead]|sum(attribute='__class__')",
    "'{0.__class__}'.format(lead)",
    "'{0.__class__}'.format_map({'0': lead})",
    "('{0.__class__}'|string).format(lead)",
    "['{0.__class__}'.format]|map('call', lead)|first",
    "'%(x)s'|format(x=lead.__class__)",
    "lead.email.__str__.__func__.__globals__",
    "lead.__init_subclass__",
    "lead.get('email')",
    "lead.items()",
    "self._TemplateReference__context",
    "self.__init__.__globals__.__builtins__",
    "cycler.__init__.__globals__.os.popen('id').read()",
    "joiner.__init__.__globals__",
    "namespace.__init__.__globals__",
    "lipsum.__globals__['os']",
    "url_for.__globals__",
    "get_flashed_messages.__globals__",
    "config.items()",
    "request.application.__globals__",
    "loop.__class__",
    "dict.__base__.__subclasses__()",
    "range(10).__class__",
    "range(1000000000)|list",
    "().__class__.__bases__[0]",
    "{}.__class__.__bases__[0]",
    "(1).__class__",
    "(1.0).__class__.__base__",
    "true.__class__",
    "none.__class__",
    "days.__globals__",
    "days(1).__class__",
    "now.__class__.__module__",
    "today.strftime('%s')",
    "_",
    "__import__('os')",
    "__builtins__",
    "open('/etc/passwd').read()",
    "eval('1')",
    "lead['_' ~ '_class_' ~ '_']",
    "lead['__cl' + 'ass__']",
    "lead|tojson|safe",
    "lead|pprint",
    "lead|xmlattr",
    "environment",
    "context",
    "caller()",
    "varargs",
    "super()",
    "'x' * 1000000000",
    "9 ** 9 ** 9",
    "'x'|center(1000000000)",
    "'x'|indent(1000000000)",
    "'x'|wordwrap(1)|attr('join')",
    "'a'|urlize(target='\" onload=\"')",
]
STATEMENTS = [
    "{% include '/etc/passwd' %}",
    "{% include 'hello' %}",
    "{% import 'hello' as h %}{{ h }}",
    "{% from 'hello' import x %}",
    "{% extends 'hello' %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
    "{% block x %}{{ self.x() }}{% endblock %}",
    "{% set lead.x = 1 %}x",
    "{% set ns = namespace(x=1) %}{{ ns.x }}",
    "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{% for x in range(1000000000) %}x{% endfor %}",
    "{% filter upper|attr('__class__') %}x{% endfilter %}",
    "{% autoescape false %}{{ lead.email }}{% endautoescape %}",
    "{% debug %}",
    "{% do lead.clear() %}",
    "{% with x = ''.__class__ %}{{ x }}{% endwith %}",
    "{% raw %}{{ x }}{% endraw %}{{ ''.__class__ }}",
]
LEAD = {"lead": {"email": "ani@example.com", "name": "Ani"}, "now": "2026-01-05T09:00:00+00:00"}


def filled(body: str) -> str:
    """What becomes of an SMS with this text. Raises RenderError."""
    journey = plan(email("x")).model_copy(
        update={"templates": {"sms:x": {"en": TemplateSource(markup="text", body=body)}}}
    )
    return render(journey, "sms", "x", "en", LEAD).text


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_condition_gives_nothing_of_python_away(escape: str) -> None:
    try:
        value = compile_expression(escape).evaluate(LEAD)
    except (ExpressionError, EvaluationError):
        return
    assert value is Empty or value is False


@pytest.mark.parametrize("text", [*(f"{{{{ {escape} }}}}" for escape in ESCAPES), *STATEMENTS])
def test_a_message_gives_nothing_of_python_away(text: str) -> None:
    with pytest.raises(RenderError):
        filled("Hello " + text)


def test_what_python_has_beside_the_data_is_empty_to_a_condition_in_a_message() -> None:
    assert filled("Hello{% if ''.__class__ or lead.keys %} there{% endif %}") == "Hello"
