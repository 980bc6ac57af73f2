"""Runs dbt as a process of its own, so that it can be killed when the lease is lost, and keeps its artifacts."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from shared import logs
from shared.instants import to_text
from shared.ports import Bucket
from shared.registry.load import Registry
from shared.transform.dbt_inputs import dbt_vars, source_selector, write_inputs
from shared.transform.gate import Freshness
from shared.transform.plan_file import DbtPlan, read_report
from shared.transform.run import BuildPlan, BuildReport
from shared.transform.slim import STATE_MANIFEST

_ARTIFACTS = ("manifest.json", "run_results.json", "sources.json")
_POLL_SECONDS = 0.2
_TERMINATION_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class DbtProcess:
    """`run_dbt.py` in a dbt project. `environment` names the warehouse for dbt's profile; it may hold a key's path."""

    project: Path
    target_path: Path
    target: str
    registry: Registry
    artifacts: Bucket
    environment: Mapping[str, str]

    def build(self, plan: BuildPlan, keep: Callable[[], None]) -> BuildReport:
        """See Dbt."""
        started = time.monotonic()
        write_inputs(self.project)
        for name in _ARTIFACTS:
            (self.target_path / name).unlink(missing_ok=True)
        sources = [s for pipeline in plan.pipelines for s in self.registry.enabled(pipeline)]
        with tempfile.TemporaryDirectory(prefix="dbt-") as folder:
            report_file = Path(folder, "report.json")
            DbtPlan(
                project=str(self.project),
                target_path=str(self.target_path),
                target=self.target,
                variables=dbt_vars(self.registry),
                sources=tuple(source_selector(s) for s in sources),
                select=plan.select,
                full_refresh=plan.full_refresh,
                report=str(report_file),
            ).write(Path(folder, "plan.json"))
            code = self._run(Path(folder, "plan.json"), plan, keep)
            report = read_report(report_file)
        if report is None:
            report = BuildReport(False, Freshness(), failures=(f"dbt ended with {code} before it could report",))
        report = replace(report, seconds=time.monotonic() - started)
        self._keep_artifacts(plan, report)
        return report

    def _run(self, plan_file: Path, plan: BuildPlan, keep: Callable[[], None]) -> int:
        environment = {
            **os.environ,
            **self.environment,
            # by variable, not by var: another var would make dbt parse the whole project anew
            "DBT_AS_OF": to_text(plan.as_of),
            "DBT_TARGET": self.target,
        }
        script = self.project / "run_dbt.py"
        process = subprocess.Popen([sys.executable, str(script), str(plan_file)], env=environment)  # noqa: S603 - our own script
        with _ended(process):
            while process.poll() is None:
                keep()
                time.sleep(_POLL_SECONDS)
        return process.returncode

    def _keep_artifacts(self, plan: BuildPlan, report: BuildReport) -> None:
        for name in _ARTIFACTS:
            path = self.target_path / name
            if path.exists():
                self.artifacts.create(f"runs/{plan.run_id}/{name}", path.read_bytes(), owner=plan.run_id)
        summary = json.dumps({**asdict(report), "pipelines": plan.pipelines, "as_of": to_text(plan.as_of)}).encode()
        self.artifacts.create(f"runs/{plan.run_id}/report.json", summary, owner=plan.run_id)
        if report.succeeded:
            self._keep_state(plan)
        logs.info("dbt.artifacts_kept", folder=f"runs/{plan.run_id}/")

    def _keep_state(self, plan: BuildPlan) -> None:
        manifest = (self.target_path / "manifest.json").read_bytes()
        created = self.artifacts.create(STATE_MANIFEST, manifest, owner=plan.run_id)
        if not created.created:
            # the job's lease lets one run at a time come here
            self.artifacts.replace(STATE_MANIFEST, manifest, owner=plan.run_id, generation=created.object.generation)


@contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_TERMINATION_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
