"""Slim CI: build what a change touches beside production. Usage: slim_ci.py [--target ci] [--keep]

Compares the project with the manifest of the last build that succeeded (kept in the artifacts bucket) and builds the
models that differ and all that depend on them into schemas of its own, named by DBT_SCHEMA; references to other models
go to production. The schemas are dropped afterwards.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from shared import wiring
from shared.registry import registry
from shared.transform.dbt_inputs import dbt_vars, write_inputs
from shared.transform.slim import drop_schemas, fetch_state, slim_build


def main(arguments: Sequence[str]) -> int:
    """The command line; dbt's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="ci")
    parser.add_argument("--keep", action="store_true", help="keep the schemas, to look at them")
    chosen = parser.parse_args(arguments)
    project = Path(__file__).parent
    write_inputs(project)
    variables = dbt_vars(registry())
    with tempfile.TemporaryDirectory(prefix="dbt-state-") as folder:
        state = Path(folder)
        known = fetch_state(wiring.bucket(wiring.settings().artifacts_bucket), state)
        if not known:
            print("No build has succeeded yet: there is nothing to compare with, so everything is built.")
        try:
            return _dbt(slim_build(project, chosen.target, variables, state if known else None))
        finally:
            if not chosen.keep:
                _dbt(drop_schemas(project, chosen.target, variables))


def _dbt(arguments: Sequence[str]) -> int:
    command = [str(Path(sys.executable).with_name("dbt")), *arguments]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
