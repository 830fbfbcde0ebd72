"""The grammar of expressions: Jinja2's, less what the language has not; and the names that one reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes

from dripline.language.links import ABOUT, LATER
from dripline.language.parsing import MAX_DEPTH, ExpressionError
from dripline.language.problems import did_you_mean, listed
from dripline.language.recommending import FUNCTION, MOST, WAYS
from dripline.language.sandbox import Sandbox

CALLS = frozenset({"days", "hours"})
_RESERVED = frozenset({"self", "super", "caller", "varargs", "kwargs", "namespace"})
_OPERATORS: tuple[type[nodes.Node], ...] = (
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Neg,
    nodes.Pos,
    nodes.Concat,
    nodes.CondExpr,
    nodes.List,
    nodes.Tuple,
    nodes.Getattr,
    nodes.Getitem,
)
_AS_WRITTEN = {
    "answer_link": "answer_link('reason.given', reason='price')",
    LATER: "later_link(product='team')",
    "confirm_link": "confirm_link()",
    "unsubscribe_link": "unsubscribe_link()",
    "preferences_link": "preferences_link()",
    FUNCTION: f"{FUNCTION}(lead)",
}
_SIGNS = {"pow": "`**`", "slice": "`[from:to]`", "dict": "`{…}`"}


class Reading:
    """Reads a tree once: refuses what the language has not, and gathers the names that it reads."""

    def __init__(
        self,
        environment: Sandbox,
        places: Mapping[str, int],
        bound: frozenset[str] = frozenset(),
    ) -> None:
        self.environment = environment
        self.places = places
        self.bound = bound
        self.names: set[str] = set()
        self.guarded: set[str] = set()
        self.unguarded: set[str] = set()
        self.seen: list[nodes.Node] = []
        self.links: list[nodes.Call] = []
        self.recommends = False
        self.printed = False
        self.asked: frozenset[str] = frozenset()

    def expression(self, node: nodes.Node, printed: bool = False) -> None:
        """Read an expression; one that is `printed` must have a value."""
        self.printed = printed
        self._read(node, 0, guarded=False)
        self.guarded -= self.unguarded

    def _read(self, node: nodes.Node, depth: int, guarded: bool, reckoned: bool = False) -> None:
        """Read a part; one that is `reckoned` with is no question whether a name is set."""
        self.seen.append(node)
        if depth > MAX_DEPTH:
            raise ExpressionError("the expression is too deep", hint="split it in two")
        path = dotted_path(node)
        if path is not None:
            self._name(path, guarded or ("." not in path and not self.printed and not reckoned))
            return
        match node:
            case nodes.Const():
                if node.value is None:
                    raise ExpressionError("there is no `none`", hint="write `x is empty`, or `x is defined`")
            case nodes.Call():
                self._call(node, depth)
            case nodes.Filter() | nodes.Test():
                self._filter_or_test(node, depth)
            case nodes.CondExpr():
                if node.expr2 is None:
                    raise ExpressionError("`if` wants an `else`", hint="write `A if CONDITION else B`")
                self._read(node.test, depth + 1, guarded=False)
                self._read_where(node.test, node.expr1, depth + 1)
                self._read(node.expr2, depth + 1, guarded=False)
            case nodes.And():
                self._read(node.left, depth + 1, guarded=False)
                self._read_where(node.left, node.right, depth + 1)
            case _ if isinstance(node, _OPERATORS):
                reckoned = not isinstance(node, nodes.Or | nodes.Not)
                for child in node.iter_child_nodes():
                    self._read(child, depth + 1, guarded=False, reckoned=reckoned)
            case _:
                word = type(node).__name__.lower()
                raise ExpressionError(f"an expression cannot have {_SIGNS.get(word, word)}")

    def _read_where(self, test: nodes.Node, node: nodes.Node, depth: int) -> None:
        """Read what is only evaluated where the test holds."""
        before = self.asked
        self.asked = before | asked_paths(test)
        self._read(node, depth, guarded=False)
        self.asked = before

    def _name(self, path: str, guarded: bool) -> None:
        root = path.split(".")[0]
        if root in self.bound:
            return
        offset = self.places.get(path, self.places.get(root, 0))
        if root in CALLS:
            raise ExpressionError(f"`{root}` wants a number", offset, f"write `{root}(2)`")
        if root in self.environment.links or (root == FUNCTION and self.environment.recommends):
            raise ExpressionError(f"`{root}` wants its brackets", offset, f"write `{_AS_WRITTEN[root]}`")
        if root in _RESERVED or root.startswith("_"):
            raise ExpressionError(f"`{root}` cannot be read", offset)
        guarded = guarded or not self.asked.isdisjoint(beginnings(path))
        self.names.add(path)
        (self.guarded if guarded else self.unguarded).add(path)

    def _call(self, node: nodes.Call, depth: int) -> None:
        called = node.node
        plain = len(node.args) == 1 and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if isinstance(called, nodes.Name) and called.name in CALLS and plain:
            self._read(node.args[0], depth + 1, guarded=False, reckoned=True)
            return
        if isinstance(called, nodes.Name) and called.name in self.environment.links:
            self._link(node, called.name, depth)
            return
        if isinstance(called, nodes.Name) and called.name == FUNCTION and self.environment.recommends:
            self._recommend(node)
            return
        name = dotted_path(called) or "this"
        last = name.split(".")[-1]
        links = did_you_mean(name, self.environment.links)
        hint = links or "only `days(n)` and `hours(n)` can be called"
        if last in self.environment.filters:
            hint = f"write `| {last}`"
        elif last in self.environment.tests:
            hint = f"write `is {last}(…)`"
        raise ExpressionError(f"`{name}` cannot be called", self.places.get(name, 0), hint)

    def _link(self, node: nodes.Call, name: str, depth: int) -> None:
        """Read a link: the name of an event and its properties for an answer, nothing for the others."""
        event = [
            arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)
        ]
        answers = name == "answer_link"
        known = {keyword.key for keyword in node.kwargs} <= ({ABOUT} if name == LATER else set())
        as_it_should = len(node.args) == len(event) == answers and (answers or known)
        if not as_it_should or node.dyn_args or node.dyn_kwargs:
            wants = "the name of an event in quotation marks, then its properties" if answers else "nothing"
            wants = "no more than a `product`" if name == LATER else wants
            hint = f"write `{_AS_WRITTEN[name]}`"
            raise ExpressionError(f"`{name}` takes {wants} in its brackets", self.places.get(name, 0), hint)
        self.links.append(node)
        for keyword in node.kwargs:
            self._read(keyword.value, depth + 1, guarded=False, reckoned=True)

    def _recommend(self, node: nodes.Call) -> None:
        """Read what is asked of the catalogue: for the lead, how many, by which ways."""
        offset = self.places.get(FUNCTION, 0)
        said: list[Any] = [arg.value if isinstance(arg, nodes.Const) else None for arg in node.args[1:]]
        for_lead = bool(node.args) and isinstance(node.args[0], nodes.Name) and node.args[0].name == "lead"
        if not for_lead or node.kwargs or node.dyn_args or node.dyn_kwargs:
            hint = f"write `{FUNCTION}(lead)`, or `{FUNCTION}(lead, 2, 'upgrade')`"
            raise ExpressionError(f"`{FUNCTION}` is asked for the lead", offset, hint)
        if said and type(said[0]) is int:
            count = said.pop(0)
            if not 1 <= count <= MOST:
                hint = f"write `{FUNCTION}(lead, 3)`"
                raise ExpressionError(f"there are 1 to {MOST} products at a time", offset, hint)
        for way in said:
            if way not in WAYS:
                hint = did_you_mean(str(way), WAYS) or f"there are {listed(sorted(WAYS))}"
                raise ExpressionError(f"`{FUNCTION}` knows no way `{way}`", offset, hint)
        self.recommends = True

    def _filter_or_test(self, node: nodes.Filter | nodes.Test, depth: int) -> None:
        known: Mapping[str, Any] = self.environment.filters
        word = "filter"
        if isinstance(node, nodes.Test):
            known, word = self.environment.tests, "test"
        if node.name not in known:
            hint = (
                did_you_mean(node.name, known)
                or f"there are {listed(sorted(name for name in known if name[0] != '_'))}"
            )
            raise ExpressionError(f"there is no {word} `{node.name}`", self.places.get(node.name, 0), hint)
        least, most = self.environment.arguments.get(node.name, (0, 0))
        if node.kwargs or node.dyn_args or node.dyn_kwargs or not least <= len(node.args) <= most:
            count = str(least) if least == most else f"{least} to {most}"
            raise ExpressionError(
                f"`{node.name}` takes {count} value(s) in its brackets", self.places.get(node.name, 0)
            )
        for child in node.iter_child_nodes():
            asks = child is node.node and node.name in ("default", "defined", "empty")
            self._read(child, depth + 1, guarded=asks, reckoned=True)


def dotted_path(node: nodes.Node) -> str | None:
    """The path that the node reads (`lead.consent.email`), if it is one."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        before = dotted_path(node.node)
        return before and f"{before}.{node.attr}"
    if (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Const)
        and isinstance(node.arg.value, str)
    ):
        before = dotted_path(node.node)
        return before and f"{before}.{node.arg.value}"
    return None


def asked_paths(test: nodes.Node) -> frozenset[str]:
    """The paths that are there wherever the condition holds."""
    if isinstance(test, nodes.And):
        return asked_paths(test.left) | asked_paths(test.right)
    if isinstance(test, nodes.Compare) and test.ops[0].op not in ("ne", "notin"):
        return asked_paths(test.expr)
    if isinstance(test, nodes.Test) and test.name == "defined":
        test = test.node
    path = dotted_path(test)
    return frozenset() if path is None else frozenset({path})


def beginnings(path: str) -> list[str]:
    """The path and every shorter one that it begins with: `a`, `a.b`, `a.b.c`."""
    parts = path.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]
