"""fakesnow's chain of transformations over a leaner walk.

Gap: fakesnow walks a statement's tree some eighty times, and sqlglot's walk costs three generators a node. That was
half of what the stand-in did.
"""

from collections.abc import Callable
from typing import Any, cast

from sqlglot import Expr


class Chained:
    """A tree whose `transform` answers with itself, so that fakesnow's chain of calls goes on here."""

    __slots__ = ("tree",)

    def __init__(self, tree: Expr) -> None:
        self.tree = tree

    def transform(self, visit: Callable[..., Any], *, copy: bool, **given: Any) -> "Chained":  # noqa: ARG002 - sqlglot's signature; the tree is the statement's own and changed in place
        """Replace the tree by its transformation."""
        self.tree = transformed(self.tree, visit, **given)
        return self


def transformed(tree: Expr, visit: Callable[..., Any], **given: Any) -> Expr:
    """What `tree.transform(visit, copy=False, **given)` gives: parents first, and nothing below a replaced node."""
    root: Any = None
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        parent, key, index = node.parent, node.arg_key, node.index
        new = visit(node, **given) if given else visit(node)
        if root is None:
            root = new
        elif new is not node and parent and key:
            parent.set(key, new, index)
        if new is not node:
            continue
        for value in reversed(node.args.values()):
            if type(value) is list:
                stack += [each for each in reversed(value) if isinstance(each, Expr)]
            elif isinstance(value, Expr):
                stack.append(value)
    return cast("Expr", root)
