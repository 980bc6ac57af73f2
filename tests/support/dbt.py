"""dbt in this process: importing it costs seconds, so the stories of a test process pay for it once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_QUIET = ("--no-use-colors", "--quiet", "--no-print", "--log-level-file", "none")


@dataclass(frozen=True, slots=True)
class Done:
    """How a dbt command ended: as its exit code would say, and what it told, one event a line."""

    succeeded: bool
    told: str


def dbt(arguments: Sequence[str], environment: Mapping[str, str]) -> Done:
    """Run a dbt command as a process of its own would, with `environment` added to this process's meanwhile."""
    from dbt.cli.main import dbtRunner

    told: list[str] = []

    def listen(event: Any) -> None:
        if event.info.level != "debug":
            told.append(event.info.msg)

    with _environment(environment):
        # without a manifest of its own, every command parses anew what changed on disk, as a process would
        result = dbtRunner(callbacks=[listen]).invoke(
            ["--no-use-colors", "--quiet", "--log-level-file", "none", *arguments]
        )
    if result.exception is not None:
        told.append(str(result.exception))
    return Done(result.success, "\n".join(told))


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
