"""Names that may stand in SQL: allow-listed, upper-case, quoted. Everything else is a bound value."""

import re

_ALLOWED = re.compile(r"_?[A-Z][A-Z0-9_]{0,99}")


def quoted(name: str) -> str:
    """`name` as a quoted upper-case identifier. Raises ValueError for anything but ASCII letters, digits and `_`."""
    upper = name.upper()
    if not name.isascii() or _ALLOWED.fullmatch(upper) is None:
        raise ValueError(f"{name!r} may not be used as an SQL identifier")
    return f'"{upper}"'


def literal(text: str) -> str:
    """`text` as a string literal, for the few places of COPY that take no bound value.

    Raises ValueError for anything but printable ASCII without quotes, backslashes and semicolons.
    """
    if not text.isascii() or not text.isprintable() or set(text) & set("'\"\\;"):
        raise ValueError(f"{text!r} may not be used as an SQL literal")
    return f"'{text}'"
