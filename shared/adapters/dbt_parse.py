"""dbt's parse of a project, which knows no connection: one that was made before serves every account, user and port.

dbt keeps notes of a parse and goes on from them when files, vars and profile are the same; else it parses everything,
which takes longer than many a build. The image carries the notes of its project, a checkout those of its last run.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner, dbtRunnerResult

from shared.adapters.environment import environment

_NOTES = "partial_parse.msgpack"

# What profiles.yml says of a connection. Parsing opens none, and no model of the targets that jobs have reads these.
_NOWHERE = {
    "SNOWFLAKE_ACCOUNT": "any",
    "SNOWFLAKE_USER": "any",
    "SNOWFLAKE_ROLE": "any",
    "SNOWFLAKE_WAREHOUSE": "any",
    "SNOWFLAKE_PRIVATE_KEY_PATH": "any",
    "SNOWFLAKE_HOST": "any",
    "SNOWFLAKE_PORT": "1",
}


def parse(
    arguments: Sequence[str], target_path: Path, begin_from: Path, callbacks: list[Callable[[Any], None]] | None = None
) -> dbtRunnerResult:
    """Carry out a `parse` command, given by all its arguments; the result is a manifest, unless it did not succeed.

    Goes on from the notes in `target_path`, or else from those at `begin_from` if there are any. Not for a target whose
    schemas are named for its user.
    """
    notes = target_path / _NOTES
    if not notes.exists() and begin_from.exists():
        target_path.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(begin_from, notes)
    with environment(_NOWHERE):
        return dbtRunner(callbacks=callbacks).invoke(list(arguments))


def kept_parse(project: Path, target: str) -> Path:
    """Where a project's notes for a target are kept."""
    return project / "parsed" / f"{target}.msgpack"


def keep_parse(target_path: Path, kept: Path) -> None:
    """Keep the notes of a parse that succeeded. Where that cannot be written to, what is there stays."""
    with suppress(OSError):  # the image's, say; they are for speed alone
        notes = (target_path / _NOTES).read_bytes()
        kept.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as file:
            file.write(notes)
        Path(file.name).chmod(0o644)  # the image is built by one user and run by another
        Path(file.name).replace(kept)  # whole, whoever else reads or writes it
