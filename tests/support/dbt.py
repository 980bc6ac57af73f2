"""dbt in this process: importing it costs seconds, so the stories of a test process pay for it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from shared.adapters.dbt_parse import parse
from shared.adapters.environment import environment

_QUIET = ("--no-use-colors", "--quiet", "--no-print", "--log-level-file", "none")


@dataclass(frozen=True, slots=True)
class Done:
    """How a dbt command ended: as its exit code would say, and what it told, one event a line."""

    succeeded: bool
    told: str


def dbt(arguments: Sequence[str], variables: Mapping[str, str]) -> Done:
    """Run a dbt command as a process of its own would, with `variables` added to this process's meanwhile."""
    told = _Told()
    with environment(variables):
        # without a manifest of its own, every command parses anew what changed on disk, as a process would
        return told.done(dbtRunner(callbacks=[told.listen]).invoke([*_QUIET, *arguments]))


def dbt_as_a_job(
    command: Sequence[str], options: Sequence[str], variables: Mapping[str, str], target_path: Path, begin_from: Path
) -> Done:
    """The same, after a parse of its own as a job has one: see `parse`. `options` are those of both."""
    told = _Told()
    with environment(variables):
        parsed = parse([*_QUIET, "--no-write-json", "parse", *options], target_path, begin_from, [told.listen])
        if not parsed.success:
            return told.done(parsed)
        assert isinstance(parsed.result, Manifest)
        runner = dbtRunner(manifest=parsed.result, callbacks=[told.listen])
        return told.done(runner.invoke([*_QUIET, *command, *options]))


class _Told:
    """What a command tells while it runs."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def listen(self, event: Any) -> None:
        if event.info.level != "debug":
            self._lines.append(event.info.msg)

    def done(self, result: dbtRunnerResult) -> Done:
        if result.exception is not None:
            self._lines.append(str(result.exception))
        return Done(result.success, "\n".join(self._lines))
