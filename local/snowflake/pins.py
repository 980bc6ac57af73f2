"""The versions whose internals this package builds on."""

from importlib.metadata import version

PINS = {"fakesnow": "0.12.1", "duckdb": "2.0.0", "sqlglot": "30.22.0"}


class WrongVersion(RuntimeError):
    """An installed package is not the one whose internals were tested."""


def check_pins() -> None:
    """Refuse to run with other versions: subclassing internals of an untested release fails in silent ways.

    Raises `WrongVersion` naming every package that differs.
    """
    wrong = [
        f"{package} {found} is installed, {expected} is expected"
        for package, expected in PINS.items()
        if (found := version(package)) != expected
    ]
    if wrong:
        raise WrongVersion("the local Snowflake stand-in needs exact versions: " + "; ".join(wrong))
