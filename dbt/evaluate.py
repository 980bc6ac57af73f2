"""Hold the project against dbt_project_evaluator's rules. Usage: evaluate.py [--target ci]

The rules are queries over the project's graph, so they run in the warehouse, in schemas of their own that are dropped
afterwards. The packages come from dbt's package hub: this runs in the build. What can be told from the manifest alone
is a test (tests/dbt/test_conventions.py), which needs neither.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.registry import registry
from shared.transform.dbt_inputs import dbt_vars, write_inputs
from shared.transform.slim import drop_schemas, evaluation

UNREACHED = """\
dbt deps failed, so nothing was evaluated. It needs dbt's package hub (hub.getdbt.com) and GitHub, which this machine
may not reach; the build does. The main rules are tested offline: pytest tests/dbt/test_conventions.py"""


def main(arguments: Sequence[str]) -> int:
    """The command line; dbt's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="ci", choices=["ci", "local_ci"])
    chosen = parser.parse_args(arguments)
    project = Path(__file__).parent
    evaluator = project / "evaluator"
    write_inputs(project)
    if _dbt(["deps", "--project-dir", str(evaluator), "--profiles-dir", str(project)]):
        print(UNREACHED, file=sys.stderr)
        return 1
    variables = dbt_vars(registry())
    try:
        return _dbt(evaluation(evaluator, project, chosen.target, variables))
    finally:
        _dbt(drop_schemas(evaluator, chosen.target, variables, profiles=project))


def _dbt(arguments: Sequence[str]) -> int:
    command = [str(Path(sys.executable).with_name("dbt")), *arguments]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
