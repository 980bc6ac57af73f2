"""Which nodes a transformation of fakesnow can act on, read from its source.

Most begin by asking for the kind of node that they are for, and a statement holds few kinds: what is not in it needs no
walk. Where the source does not say it as plainly as that, every node is shown.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from sqlglot import Expr

Kinds = tuple[type[Expr], ...]

_KNOWN: dict[CodeType, Kinds | None] = {}


def kinds_of(visit: Callable[..., Any]) -> Kinds | None:
    """The kinds of node beside which `visit` gives back what it got, unchanged; None where that cannot be told."""
    function = _handed_on(visit)
    if not isinstance(function, FunctionType):
        return None
    code = function.__code__
    if code not in _KNOWN:
        _KNOWN[code] = _read(function)
    return _KNOWN[code]


def _handed_on(visit: Callable[..., Any]) -> Callable[..., Any]:
    # `lambda e: transforms.name(e, ...)`, a new function in each walk
    if isinstance(visit, FunctionType) and visit.__name__ == "<lambda>" and len(visit.__code__.co_names) > 1:
        module, name, *_ = visit.__code__.co_names
        function = getattr(visit.__globals__.get(module), name, None)
        return function if isinstance(function, FunctionType) else visit
    return visit


def _read(function: FunctionType) -> Kinds | None:
    try:
        [source] = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, SyntaxError, ValueError):
        return None
    if not isinstance(source, ast.FunctionDef) or not source.args.args:
        return None
    asked = _asked_for(source.body, source.args.args[0].arg)
    if asked is None:
        return None
    try:
        return tuple(kind for named in asked for kind in _values(named, function.__globals__))
    except LookupError:
        return None


def _values(named: ast.expr, names: Mapping[str, Any]) -> tuple[Any, ...]:
    """What `name`, `module.name` or a tuple of these stands for. Raises LookupError for anything else."""
    match named:
        case ast.Tuple(parts):
            return tuple(value for part in parts for value in _values(part, names))
        case ast.Attribute(ast.Name(module), name):
            found = getattr(names[module], name)
        case ast.Name(name):
            found = names[name]
        case _:
            raise LookupError(ast.unparse(named))
    return found if isinstance(found, tuple) else (found,)


def _asked_for(body: list[ast.stmt], node: str) -> list[ast.expr] | None:
    """The second arguments of `isinstance(node, ...)` without any of which the body ends in `return node`."""
    asked: list[ast.expr] = []
    for statement in body:
        match statement:
            case ast.Expr(ast.Constant()):
                continue
            case ast.Assign() | ast.AnnAssign() if not _mentions(statement, node):
                continue
            case ast.Return(ast.Name(name)) if name == node:
                return asked
            case ast.If(test, [ast.Return(ast.Name(name))], []) if name == node and (kinds := _denied(test, node)):
                return [*asked, kinds]
            case ast.If():
                branches = list(_branches(statement, node))
                if None in branches:
                    return None
                asked += [kinds for kinds in branches if kinds is not None]
            case _:
                return None
    return None


def _branches(statement: ast.If, node: str) -> Iterator[ast.expr | None]:
    """What each branch asks for; None for one that may be taken by any node."""
    only_assigns = all(isinstance(inner, ast.Assign) for inner in statement.body)
    if not only_assigns or any(_mentions(part, node) for part in (statement.test, *statement.body)):
        yield _asserted(statement.test, node)
    match statement.orelse:
        case []:
            return
        case [ast.If() as following]:
            yield from _branches(following, node)
        case _:
            yield None


def _asserted(test: ast.expr, node: str) -> ast.expr | None:
    """The kinds of which the node is when the test holds."""
    match test:
        case ast.Call(ast.Name("isinstance"), [ast.Name(name), kinds]) if name == node:
            return kinds
        case ast.BoolOp(ast.And(), [first, *_]):
            return _asserted(first, node)
    return None


def _denied(test: ast.expr, node: str) -> ast.expr | None:
    """The kinds of which the node is when the test does not hold."""
    match test:
        case ast.UnaryOp(ast.Not(), inner):
            return _asserted(inner, node)
        case ast.BoolOp(ast.Or(), [first, *_]):
            return _denied(first, node)
    return None


def _mentions(tree: ast.AST, node: str) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id == node for inner in ast.walk(tree))
