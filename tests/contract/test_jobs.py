"""Jobs: the fake in memory and the adapter over the fake of the Cloud Run API."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from shared.adapters.cloud_run import CloudRunJobs
from shared.adapters.memory import Faults, MemoryJobs
from shared.errors import JobUnavailable
from shared.ports import Jobs
from tests.contract.servers import Answer, Server, closed_port, hang_up, json_reply, reply
from tests.contract.stack import PROJECT, REGION, Stack


@dataclass(frozen=True)
class Yard:
    """Jobs, how often "dbt" was started, and faults of its next start."""

    jobs: Jobs
    started: Callable[[], int]
    fail_before: Callable[[], None]
    fail_after: Callable[[], None]


@pytest.fixture(params=["memory", pytest.param("emulated", marks=pytest.mark.emulated)])
def yard(request: pytest.FixtureRequest) -> Iterator[Yard]:
    if request.param == "memory":
        faults = Faults()
        fake = MemoryJobs(faults)
        fault = ("start", "dbt", JobUnavailable("injected"))
        yield Yard(
            fake, lambda: len(fake.started), lambda: faults.before.append(fault), lambda: faults.after.append(fault)
        )
        return
    stack: Stack = request.getfixturevalue("stack")
    before = stack.executions("dbt")
    yield Yard(
        CloudRunJobs(PROJECT, REGION, stack.jobs_url),
        lambda: stack.executions("dbt") - before,
        lambda: stack.job_faults({"action": "error", "status": 503, "name_contains": "dbt"}),
        lambda: stack.job_faults({"action": "drop_response", "name_contains": "dbt"}),
    )
    stack.job_faults()


def test_each_start_is_one_execution(yard: Yard) -> None:
    yard.jobs.start("dbt")
    yard.jobs.start("dbt")
    assert yard.started() == 2


def test_a_refused_start_started_nothing(yard: Yard) -> None:
    yard.fail_before()
    with pytest.raises(JobUnavailable):
        yard.jobs.start("dbt")
    assert yard.started() == 0
    yard.jobs.start("dbt")
    assert yard.started() == 1


def test_a_lost_answer_is_a_failure_though_the_job_runs(yard: Yard) -> None:
    """It is not repeated by itself: the job's lease, not this port, makes a second execution harmless."""
    yard.fail_after()
    with pytest.raises(JobUnavailable):
        yard.jobs.start("dbt")
    assert yard.started() == 1


@pytest.mark.emulated
def test_a_job_that_does_not_exist_is_named(stack: Stack) -> None:
    with pytest.raises(JobUnavailable, match=r"absent.*404"):
        CloudRunJobs(PROJECT, REGION, stack.jobs_url).start("absent")


@pytest.mark.parametrize(
    "answer",
    [
        hang_up,
        json_reply(403, '{"error": {"message": "no"}}'),
        json_reply(500, "{}"),
        reply(302, b"", {"location": "/again"}),
        reply(200, b"{", length=100),
        reply(200, b"no gzip", {"content-encoding": "gzip"}),
    ],
    ids=["hang-up", "403", "500", "redirect loop", "half a body", "broken encoding"],
)
def test_a_service_that_never_answers_well(server: Server, answer: Answer) -> None:
    server.answer = answer
    with pytest.raises(JobUnavailable, match="'dbt'"):
        CloudRunJobs(PROJECT, REGION, server.url).start("dbt")


def test_a_service_that_is_down() -> None:
    with pytest.raises(JobUnavailable, match="'dbt'"):
        CloudRunJobs(PROJECT, REGION, f"http://127.0.0.1:{closed_port()}").start("dbt")


def test_without_credentials_the_real_service_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/dev/null/absent.json")
    with pytest.raises(JobUnavailable, match="'dbt'"):
        CloudRunJobs(PROJECT, REGION).start("dbt")
