"""Runs of jobs over HTTP: overrides, operations, executions, faults, and no child left behind."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.run_jobs.executions import BadOverride, Overrides, parse_jobs
from local.supervisor import Process, Supervisor, SupervisorThread, free_ports

emulated = pytest.mark.emulated
ROOT = Path(__file__).parents[2]
PARENT = "projects/p/locations/l"
_TELL = """
import json, os, sys
names = [name for name in os.environ if name.startswith("CLOUD_RUN_") or name == "WINDOW"]
print(json.dumps({"args": sys.argv[1:], "env": {name: os.environ[name] for name in names}}))
"""
_SLEEP = """
import os, subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(120)"])
print(os.getpid(), inner.pid, flush=True)
time.sleep(120)
"""


@dataclass(frozen=True)
class Server:
    stack: SupervisorThread
    url: str
    logs: Path

    def run(self, job: str, **overrides: Any) -> httpx.Response:
        url = f"{self.url}/v2/{PARENT}/jobs/{job}:run?$alt=json;enum-encoding=int"
        return httpx.post(url, json={"overrides": overrides} if overrides else {}, timeout=30)

    def get(self, name: str) -> Any:
        return httpx.get(f"{self.url}/v2/{name}").raise_for_status().json()

    def log(self, execution: str) -> str:
        return (self.logs / f"{execution.rsplit('/', 1)[-1]}.log").read_text()

    def executions(self, job: str) -> list[Any]:
        return list(self.get(f"{PARENT}/jobs/{job}/executions")["executions"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("run-jobs")
    for name, script in (("tell", _TELL), ("sleep", _SLEEP), ("fail", "raise SystemExit(3)")):
        (folder / f"{name}.py").write_text(script)
    (port,) = free_ports(0)
    argv = [sys.executable, "-m", "local.run_jobs", "--port", str(port), "--logs", str(folder / "runs")]
    for name in ("tell", "sleep", "fail"):
        argv += ["--job", f"{name}={sys.executable} '{folder / name}.py' first"]
    with SupervisorThread(Supervisor([Process("jobs", argv, port, cwd=ROOT)], folder / "logs")) as stack:
        yield Server(stack, f"http://127.0.0.1:{port}", folder / "runs")


def finished(server: Server, operation: dict[str, Any], wait_for: Callable[..., Any]) -> Any:
    wait_for(lambda: server.get(operation["name"])["done"])
    return server.get(operation["name"])


@emulated
def test_a_run_gets_its_overrides_and_tells_its_end(server: Server, wait_for: Callable[..., Any]) -> None:
    container = {"args": ["build", "a b; $(no shell)"], "env": [{"name": "WINDOW", "value": "20261120T0700Z"}]}
    started = server.run("tell", containerOverrides=[container])
    assert started.status_code == 200
    execution = started.json()["metadata"]["name"]
    operation = finished(server, started.json(), wait_for)
    assert operation["response"]["name"] == execution
    assert operation["response"]["conditions"][0]["state"] == "CONDITION_SUCCEEDED"
    assert (operation["response"]["succeededCount"], operation["response"]["runningCount"]) == (1, 0)
    assert json.loads(server.log(execution)) == {
        "args": ["first", "build", "a b; $(no shell)"],
        "env": {
            "WINDOW": "20261120T0700Z",
            "CLOUD_RUN_JOB": "tell",
            "CLOUD_RUN_EXECUTION": execution.rsplit("/", 1)[-1],
            "CLOUD_RUN_TASK_INDEX": "0",
            "CLOUD_RUN_TASK_COUNT": "1",
            "CLOUD_RUN_TASK_ATTEMPT": "0",
        },
    }
    assert server.get(execution) == server.executions("tell")[0] | {"name": execution}
    stack_log = server.stack.supervisor.log_path("jobs")
    wait_for(lambda: f"{execution.rsplit('/', 1)[-1]} | " in stack_log.read_text())


@emulated
def test_tasks_know_their_index(server: Server, wait_for: Callable[..., Any]) -> None:
    started = server.run("tell", taskCount=3).json()
    operation = finished(server, started, wait_for)
    assert operation["response"]["succeededCount"] == 3
    told = [json.loads(line)["env"] for line in server.log(operation["response"]["name"]).splitlines()]
    assert sorted(env["CLOUD_RUN_TASK_INDEX"] for env in told) == ["0", "1", "2"]
    assert {env["CLOUD_RUN_TASK_COUNT"] for env in told} == {"3"}


@emulated
def test_a_failed_run_says_so(server: Server, wait_for: Callable[..., Any]) -> None:
    operation = finished(server, server.run("fail").json(), wait_for)
    assert "3" in operation["error"]["message"]
    (run,) = server.executions("fail")
    assert (run["failedCount"], run["succeededCount"]) == (1, 0)
    assert run["conditions"][0]["state"] == "CONDITION_FAILED"
    assert run["conditions"][0]["executionReason"] == "NON_ZERO_EXIT_CODE"


@emulated
def test_unknown_things_are_not_found(server: Server) -> None:
    assert server.run("nothing").json()["error"]["status"] == "NOT_FOUND"
    for path in ("jobs/nothing", "jobs/nothing/executions", "jobs/tell/executions/x", "operations/x"):
        assert httpx.get(f"{server.url}/v2/{PARENT}/{path}").status_code == 404
    assert server.run("tell", taskCount="many").status_code == 400


@emulated
def test_faults_before_and_after_the_start(server: Server) -> None:
    before = len(server.executions("tell"))
    faults = f"{server.url}/_emulator/faults"
    rules = [{"action": "error", "path_contains": ":run", "times": 2}, {"action": "drop_response", "times": 1}]
    httpx.put(faults, json=rules).raise_for_status()
    assert [server.run("tell").status_code for _ in range(2)] == [503, 503]
    assert len(server.executions("tell")) == before
    with pytest.raises(httpx.RemoteProtocolError):
        server.run("tell")
    assert len(server.executions("tell")) == before + 1
    assert server.run("tell").status_code == 200
    assert httpx.put(faults, json={"action": "nonsense"}).status_code == 400
    assert httpx.delete(faults).json() == []


@emulated
def test_a_run_is_cancelled_with_its_children(
    server: Server, wait_for: Callable[..., Any], is_alive: Callable[[int], bool]
) -> None:
    execution = server.run("sleep").json()["metadata"]["name"]
    pids = [int(word) for word in wait_for(lambda: server.log(execution)).split()]
    assert server.get(execution)["runningCount"] == 1
    assert all(is_alive(pid) for pid in pids)
    cancelled = httpx.post(f"{server.url}/v2/{execution}:cancel", timeout=30).json()
    assert (cancelled["done"], cancelled["error"]["code"]) == (True, 1)
    assert server.get(execution)["cancelledCount"] == 1
    wait_for(lambda: not any(is_alive(pid) for pid in pids))


@emulated
def test_a_run_past_its_timeout_is_ended(server: Server, wait_for: Callable[..., Any]) -> None:
    operation = finished(server, server.run("sleep", timeout="0.5s").json(), wait_for)
    assert "timeout" in operation["error"]["message"]


@emulated
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_runs_end_with_the_server(
    server: Server, wait_for: Callable[..., Any], is_alive: Callable[[int], bool], end: str
) -> None:
    execution = server.run("sleep").json()["metadata"]["name"]
    pids = [int(word) for word in wait_for(lambda: server.log(execution)).split()]
    assert all(is_alive(pid) for pid in pids)
    getattr(server.stack, end)("jobs")
    wait_for(lambda: not any(is_alive(pid) for pid in pids))
    server.stack.start("jobs")


def test_jobs_are_parsed_without_a_shell() -> None:
    assert parse_jobs(["dbt=python -m job 'a b' $HOME;ls"]) == {"dbt": ["python", "-m", "job", "a b", "$HOME;ls"]}
    for bad in (["dbt"], ["=x"], ["a="], ["a=x", "a=y"]):
        with pytest.raises(ValueError, match="NAME=COMMAND"):
            parse_jobs(bad)


@pytest.mark.parametrize(
    "overrides",
    [
        {"timeout": "soon"},
        {"taskCount": -1},
        {"containerOverrides": [{}, {}]},
        {"containerOverrides": [{"env": [{}]}]},
    ],
    ids=str,
)
def test_overrides_that_make_no_sense_are_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(BadOverride):
        Overrides.parse({"overrides": overrides})


def test_no_overrides_change_nothing() -> None:
    assert Overrides.parse({}) == Overrides()
