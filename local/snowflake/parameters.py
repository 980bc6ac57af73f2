"""Session parameters: connect(session_parameters=…), ALTER SESSION and SHOW PARAMETERS.

Gap: fakesnow knows AUTOCOMMIT and QUOTED_IDENTIFIERS_IGNORE_CASE and rejects the rest, QUERY_TAG among them.
"""

import fnmatch
from dataclasses import dataclass, field

from sqlglot import Expr, exp

from local.snowflake.errors import sql_error, unsupported

Value = str | int | float | bool

# What the stand-in acts on, with its defaults. LOCK_TIMEOUT is 43200 s in Snowflake; a person at a laptop should not
# wait half a day to see a blocked write.
DEFAULTS: dict[str, Value] = {
    "ABORT_DETACHED_QUERY": False,
    "AUTOCOMMIT": True,
    "LOCK_TIMEOUT": 60,
    "QUERY_TAG": "",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "STATEMENT_TIMEOUT_IN_SECONDS": 172800,
    "TIMEZONE": "UTC",
}

_UTC = frozenset({"utc", "etc/utc", "etc/gmt", "gmt", "zulu", "etc/zulu"})


@dataclass
class SessionParameters:
    """The parameters of one session by upper-case name; any name is accepted and shown again."""

    given: dict[str, Value] = field(default_factory=dict)

    def set(self, name: str, value: Value) -> None:
        """Set one parameter. Raises for the values that would change results here without being carried out."""
        name = name.upper()
        default = DEFAULTS.get(name)
        if isinstance(default, bool):
            value = _boolean(name, value)
        elif isinstance(default, int):
            value = _seconds(name, value)
        if name == "TIMEZONE" and str(value).lower() not in _UTC:
            raise unsupported(f"TIMEZONE = '{value}': it works in UTC only")
        if name == "QUOTED_IDENTIFIERS_IGNORE_CASE" and value:
            raise unsupported("QUOTED_IDENTIFIERS_IGNORE_CASE = true")
        if name == "QUERY_TAG" and len(str(value)) > 2000:
            raise sql_error(1008, "invalid value for parameter 'QUERY_TAG': longer than 2000 characters", "22023")
        self.given[name] = value

    def unset(self, name: str) -> None:
        """Back to the default."""
        self.given.pop(name.upper(), None)

    def seconds(self, name: str) -> float:
        """A numeric parameter, or its default."""
        return float(self.given.get(name, DEFAULTS[name]))

    def flag(self, name: str) -> bool:
        """A boolean parameter, or its default."""
        return bool(self.given.get(name, DEFAULTS[name]))

    def text(self, name: str) -> str:
        """A parameter as text, or its default."""
        return str(self.given.get(name, DEFAULTS[name]))

    def show(self, like: str | None) -> Expr:
        """The result of SHOW PARAMETERS, as a SELECT of literals; `like` is an SQL pattern, case-insensitive."""
        pattern = (like or "%").upper().replace("%", "*").replace("_", "?")
        rows = [
            (
                name,
                _text(self.given.get(name, DEFAULTS.get(name, ""))),
                _text(DEFAULTS.get(name, "")),
                "SESSION" if name in self.given else "",
                "",
                _kind(self.given.get(name, DEFAULTS.get(name, ""))),
            )
            for name in sorted(DEFAULTS.keys() | self.given.keys())
            if fnmatch.fnmatchcase(name, pattern)
        ]
        columns = ("key", "value", "default", "level", "description", "type")
        picked = [exp.alias_(exp.cast(exp.column(c), "varchar"), c, quoted=True) for c in columns]
        # VALUES needs a row even if the filter below takes it away again
        values = exp.values(rows or [("",) * len(columns)], alias="t", columns=columns)
        return exp.select(*picked).from_(values).where(exp.true() if rows else exp.false())


def alter_session(statement: exp.AlterSession) -> dict[str, Value | None]:
    """What ALTER SESSION sets; None means unset."""
    changes: dict[str, Value | None] = {}
    for item in statement.expressions:
        if statement.args.get("unset"):
            changes[item.this.name.upper()] = None
        else:
            changes[item.this.this.name.upper()] = _literal(item.this.expression)
    return changes


def _literal(value: Expr) -> Value:
    if isinstance(value, exp.Boolean):
        return bool(value.this)
    if isinstance(value, exp.Literal) and not value.is_string:
        return float(value.this) if "." in value.this else int(value.this)
    return str(value.name)


def _boolean(name: str, value: Value) -> bool:
    text = str(value).lower()
    if text not in {"true", "false", "1", "0", "on", "off"}:
        raise sql_error(1008, f"invalid value '{value}' for parameter '{name}'", "22023")
    return text in {"true", "1", "on"}


def _seconds(name: str, value: Value) -> float | int:
    try:
        number = float(value)
    except ValueError as error:
        raise sql_error(1008, f"invalid value '{value}' for parameter '{name}'", "22023") from error
    if number < 0:
        raise sql_error(1008, f"invalid value '{value}' for parameter '{name}'", "22023")
    return int(number) if number.is_integer() else number


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    return "STRING" if isinstance(value, str) else "NUMBER"
