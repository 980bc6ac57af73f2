"""fakesnow's chain of transformations over fewer and leaner walks.

Gap: fakesnow walks a statement's tree some eighty times, and sqlglot's walk costs three generators a node. That was
half of what the stand-in did.
"""

from collections.abc import Callable
from typing import Any, cast

from sqlglot import Expr

from local.snowflake.kinds import Kinds, kinds_of


class Chained:
    """A tree whose `transform` answers with itself, so that fakesnow's chain of calls goes on here."""

    __slots__ = ("_held", "tree")

    def __init__(self, tree: Expr) -> None:
        self.tree = tree
        self._held: set[type[Expr]] = set()

    def transform(self, visit: Callable[..., Any], *, copy: bool, **given: Any) -> "Chained":  # noqa: ARG002 - sqlglot's signature; the tree is the statement's own and changed in place
        """Replace the tree by its transformation, which needs no walk where nothing in it is of a kind for that."""
        kinds = kinds_of(visit)
        if kinds is None or self._holds(kinds):
            self.tree = transformed(self.tree, visit, kinds or (Expr,), **given)
            self._held = set()
        return self

    def _holds(self, kinds: Kinds) -> bool:
        self._held = self._held or _held_by(self.tree)
        return any(issubclass(held, kinds) for held in self._held)


def transformed(tree: Expr, visit: Callable[..., Any], kinds: Kinds = (Expr,), **given: Any) -> Expr:
    """What `tree.transform(visit, copy=False, **given)` gives: parents first, and nothing below a replaced node.

    `kinds` are the nodes that `visit` can change, by default all.
    """
    root: Any = None
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, kinds):
            parent, key, index = node.parent, node.arg_key, node.index
            new = visit(node, **given) if given else visit(node)
            if node is tree:
                root = new
            elif new is not node and parent and key:
                parent.set(key, new, index)
            if new is not node:
                continue
        elif node is tree:
            root = node
        # a stack gives back the last first
        for value in reversed(node.args.values()):
            if type(value) is list:
                stack += [each for each in reversed(value) if isinstance(each, Expr)]
            elif isinstance(value, Expr):
                stack.append(value)
    return cast("Expr", root)


def _held_by(tree: Expr) -> set[type[Expr]]:
    """The kinds of the tree's nodes."""
    held: set[type[Expr]] = set()
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        held.add(type(node))
        for value in node.args.values():
            if type(value) is list:
                stack += [each for each in value if isinstance(each, Expr)]
            elif isinstance(value, Expr):
                stack.append(value)
    return held
