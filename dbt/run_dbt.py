"""The dbt process that the job watches: parse once, freshness, gate, build. Usage: run_dbt.py PLAN."""

import json
import sys
from pathlib import Path
from typing import Any

from dbt.artifacts.schemas.freshness import FreshnessResult
from dbt.cli.main import dbtRunner, dbtRunnerResult

from shared import logs
from shared.adapters.dbt_parse import keep_parse, kept_parse, parse
from shared.transform.gate import Freshness, freshness
from shared.transform.plan_file import DbtPlan, write_report
from shared.transform.run import BuildReport

_TOLD = {
    "LogModelResult",
    "LogTestResult",
    "LogSnapshotResult",
    "LogSeedResult",
    "LogFreshnessResult",
    "NodeTestResult",
}


def main(plan: DbtPlan) -> BuildReport:
    """Carry the plan out; the report tells whether everything succeeded."""
    common = [
        *("--project-dir", plan.project, "--profiles-dir", plan.project, "--target", plan.target),
        *("--target-path", plan.target_path, "--log-path", plan.target_path),
        *("--vars", json.dumps(plan.variables)),
    ]
    # our callback writes the log lines; dbt's own would not be Cloud Logging's
    quiet = ["--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none"]
    # the build writes the manifest as well, and with what it compiled
    kept = kept_parse(Path(plan.project), plan.target)
    parsed = parse([*quiet, "--no-write-json", "parse", *common], Path(plan.target_path), kept, [_tell])
    if not parsed.success:
        return _failed(parsed, Freshness())
    keep_parse(Path(plan.target_path), kept)
    runner = dbtRunner(manifest=parsed.result, callbacks=[_tell])  # type: ignore[arg-type]  # parse returns a Manifest
    found = Freshness()
    if plan.sources:
        # with its file it would write the manifest too, which the build writes again
        checked = runner.invoke([*quiet, "--no-write-json", "source", "freshness", *common, "--select", *plan.sources])
        measured: object = checked.result  # dbt's annotation leaves this command's result out
        if not isinstance(measured, FreshnessResult):
            return _failed(checked, found)
        results = Path(plan.target_path, "sources.json")
        measured.write(str(results))  # type: ignore[no-untyped-call]  # dbt annotates nothing of this method
        found = freshness(json.loads(results.read_text())["results"])
        if found.blocks:
            return BuildReport(False, found, failures=("every source is stale",))
    options = ["--full-refresh"] if plan.full_refresh else []
    # unit tests test the code, not the data: they run before a deployment, not in every window
    options += ["--exclude-resource-type", "unit_test"]
    built = runner.invoke([*quiet, "build", *common, "--select", *plan.select, *options])
    if built.exception is not None:
        return _failed(built, found)
    counts: dict[str, int] = {}
    failures = []
    for result in json.loads(Path(plan.target_path, "run_results.json").read_text())["results"]:
        counts[result["status"]] = counts.get(result["status"], 0) + 1
        if result["status"] in ("error", "fail", "runtime error"):
            failures.append(f"{result['unique_id']}: {result['message']}")
    return BuildReport(built.success, found, counts, tuple(failures))


def _failed(result: dbtRunnerResult, found: Freshness) -> BuildReport:
    return BuildReport(False, found, failures=(str(result.exception or "dbt did not succeed"),))


def _tell(event: Any) -> None:
    level, name = event.info.level, event.info.name
    if level == "error":
        logs.error("dbt.event", name=name, message=event.info.msg)
    elif level == "warn":
        logs.warning("dbt.event", name=name, message=event.info.msg)
    elif name in _TOLD:
        logs.info("dbt.event", name=name, message=event.info.msg)


if __name__ == "__main__":
    chosen = DbtPlan.read(Path(sys.argv[1]))
    outcome = main(chosen)
    write_report(Path(chosen.report), outcome)
    sys.exit(0 if outcome.succeeded else 1)
