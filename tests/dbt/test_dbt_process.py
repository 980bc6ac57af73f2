"""The process that the job watches, with a script in dbt's place: what is kept of it, and when."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.adapters.dbt import DbtProcess
from shared.adapters.memory import MemoryBucket, MemoryCloud
from shared.errors import LeaseHeld
from shared.registry import registry
from shared.transform.run import BuildPlan
from shared.transform.slim import STATE_MANIFEST

SCRIPT = """
import json, os, sys, time
from pathlib import Path

plan = json.loads(Path(sys.argv[1]).read_text())
outcome = os.environ["OUTCOME"]
target = Path(plan["target_path"])
target.mkdir(exist_ok=True)
(target / "manifest.json").write_text(os.environ["MANIFEST"])
if outcome == "hangs":
    time.sleep(60)
if outcome == "dies":
    sys.exit(9)
failures = [] if outcome == "succeeds" else ["a model"]
report = {"succeeded": not failures, "freshness": {}, "failures": failures}
Path(plan["report"]).write_text(json.dumps(report))
sys.exit(len(failures))
"""


@pytest.fixture
def artifacts() -> MemoryBucket:
    return MemoryCloud().bucket("artifacts")


def _build(folder: Path, artifacts: MemoryBucket, outcome: str, manifest: str = "{}", run_id: str = "run") -> bool:
    project = folder / "dbt"
    project.mkdir(exist_ok=True)
    (project / "run_dbt.py").write_text(SCRIPT)
    process = DbtProcess(
        project=project,
        target_path=folder / "target",
        target="local",
        registry=registry(),
        artifacts=artifacts,
        environment={"OUTCOME": outcome, "MANIFEST": manifest},
    )

    def keep() -> None:
        if outcome == "hangs" and (folder / "target" / "manifest.json").exists():
            raise LeaseHeld("another run holds the lease")

    plan = BuildPlan(run_id, ("market",), ("tag:market",), datetime(2026, 11, 20, 12, tzinfo=UTC))
    return process.build(plan, keep).succeeded


def _read(artifacts: MemoryBucket, name: str) -> str | None:
    found = artifacts.read(name)
    return None if found is None else found[0].decode()


def _names(artifacts: MemoryBucket) -> set[str]:
    return {found.name for found in artifacts.list("")}


def test_the_manifest_of_a_build_that_succeeded_is_the_state(tmp_path: Path, artifacts: MemoryBucket) -> None:
    """The next one's takes its place; each run keeps its own."""
    assert _build(tmp_path, artifacts, "succeeds", '{"n": 1}', "one")
    assert _read(artifacts, STATE_MANIFEST) == '{"n": 1}'
    assert _build(tmp_path, artifacts, "succeeds", '{"n": 2}', "two")
    assert _read(artifacts, STATE_MANIFEST) == '{"n": 2}'
    assert _read(artifacts, "runs/one/manifest.json") == '{"n": 1}'


@pytest.mark.parametrize("outcome", ["fails", "dies"])
def test_a_build_that_did_not_succeed_leaves_the_state(outcome: str, tmp_path: Path, artifacts: MemoryBucket) -> None:
    """Slim CI would take models for built that are not; what the run left is kept beside, to be looked at."""
    assert not _build(tmp_path, artifacts, outcome, '{"n": 0}', "zero")
    assert _read(artifacts, STATE_MANIFEST) is None
    assert _build(tmp_path, artifacts, "succeeds", '{"n": 1}', "one")
    assert not _build(tmp_path, artifacts, outcome, '{"n": 2}', "two")
    assert _read(artifacts, STATE_MANIFEST) == '{"n": 1}'
    assert _read(artifacts, "runs/two/manifest.json") == '{"n": 2}'
    report = json.loads(_read(artifacts, "runs/two/report.json") or "")
    assert (report["succeeded"], len(report["failures"])) == (False, 1)


def test_a_build_that_lost_its_lease_keeps_nothing(tmp_path: Path, artifacts: MemoryBucket) -> None:
    """Its process is ended, and another run's artifacts are not touched."""
    with pytest.raises(LeaseHeld):
        _build(tmp_path, artifacts, "hangs")
    assert _names(artifacts) == set()
