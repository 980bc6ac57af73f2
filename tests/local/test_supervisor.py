"""The supervisor starts, watches, restarts and ends processes, and whatever happens leaves none behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.guarded_child import group_lives
from local.supervisor import Process, ProcessFailed, Supervisor, SupervisorError, SupervisorThread, free_ports

ROOT = Path(__file__).parents[2]
# Listens on a port and has a child of its own, like a server with workers; each process writes its id to FOLDER. The
# child outlives its parent if it may. "stubborn" processes ignore SIGTERM.
_SERVER = """
import os, signal, socket, subprocess, sys, time
folder, port, mood = sys.argv[1:4]
if mood == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mood == "slow":
    time.sleep(60)
inner = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(120)"])
for pid in (os.getpid(), inner.pid):
    open(os.path.join(folder, str(pid)), "w").close()
print("listening", port, os.environ.get("GREETING"), flush=True)
listener = socket.create_server(("127.0.0.1", int(port)))
if mood == "dies":
    time.sleep(0.3)
    print("out of luck")
    sys.exit(7)
while True:
    listener.accept()[0].close()
"""
# A supervisor as a command, over two such servers.
_COMMAND = """
import asyncio, json, sys
from pathlib import Path
from local.guarded_child import group_lives
from local.supervisor import Process, Supervisor
async def ready():
    print("READY", flush=True)
processes = [Process(**given) for given in json.loads(sys.argv[1])]
supervisor = Supervisor(processes, Path(sys.argv[2]), echo=True, grace_seconds=float(sys.argv[3]))
sys.exit(asyncio.run(supervisor.run(on_ready=ready)))
"""


class Stage:
    """A folder where servers note their process ids."""

    def __init__(self, folder: Path, is_alive: Callable[[int], bool]) -> None:
        self._is_alive = is_alive
        self.pids = folder / "pids"
        self.logs = folder / "logs"
        self.pids.mkdir()
        self._script = folder / "server.py"
        self._script.write_text(_SERVER)

    def server(self, name: str, mood: str = "calm", **more: Any) -> Process:
        (port,) = free_ports(0)
        argv = [sys.executable, "-S", str(self._script), str(self.pids), str(port), mood]
        return Process(name, argv, port, **more)

    def seen(self) -> list[int]:
        return [int(path.name) for path in self.pids.iterdir()]

    def alive(self) -> list[int]:
        return [pid for pid in self.seen() if self._is_alive(pid)]


@pytest.fixture
def stage(tmp_path: Path, is_alive: Callable[[int], bool]) -> Iterator[Stage]:
    stage = Stage(tmp_path, is_alive)
    yield stage
    for pid in stage.alive():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def command(stage: Stage, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a supervisor as a command and wait until its stack is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(*processes: Process, grace_seconds: float = 5, ready: bool = True) -> subprocess.Popen[str]:
        given = [{"name": p.name, "argv": list(p.argv), "port": p.port, "env": dict(p.env)} for p in processes]
        output = tmp_path / "output"
        with output.open("w") as file:
            running = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, json.dumps(given), str(stage.logs), str(grace_seconds)],
                cwd=ROOT,
                stdout=file,
                stderr=file,
                start_new_session=True,
                text=True,
            )
        started.append(running)
        end = time.monotonic() + 20
        while ready and "READY" not in output.read_text():
            assert running.poll() is None, output.read_text()
            assert time.monotonic() < end
            time.sleep(0.02)
        return running

    yield start
    for running in started:
        if running.poll() is None:
            running.kill()
        running.wait()


def test_processes_are_ready_inside_and_gone_outside(stage: Stage) -> None:
    async def story() -> None:
        first, second = stage.server("first", env={"GREETING": "hello"}), stage.server("second")
        async with Supervisor([first, second], stage.logs) as supervisor:
            for process in (first, second):
                socket.create_connection(("127.0.0.1", process.port or 0)).close()
            assert f"listening {first.port} hello" in supervisor.log_path("first").read_text()
            assert len(stage.alive()) == 4
        assert stage.alive() == []

    asyncio.run(story())


def test_one_process_is_killed_and_started_again_while_the_others_run(stage: Stage) -> None:
    async def story() -> None:
        load, other = stage.server("load"), stage.server("other")
        async with Supervisor([load, other], stage.logs) as supervisor:
            before, untouched = supervisor.pid("load"), supervisor.pid("other")
            await supervisor.kill("load")
            assert not supervisor.is_running("load")
            assert len(stage.alive()) == 2
            with pytest.raises(SupervisorError, match="does not run"):
                await supervisor.kill("load")
            await supervisor.start("load")
            assert supervisor.pid("load") != before
            with pytest.raises(SupervisorError, match="runs already"):
                await supervisor.start("load")
            assert await supervisor.stop("load") == -signal.SIGTERM
            await supervisor.start("load")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(supervisor.wait(), 0.2)
            assert supervisor.pid("other") == untouched
            assert supervisor.log_path("load").read_text().count("listening") == 3
        assert stage.alive() == []

    asyncio.run(story())


def test_a_process_that_ends_by_itself_is_named_and_stops_all(stage: Stage) -> None:
    async def story() -> None:
        async with Supervisor([stage.server("good"), stage.server("weak", "dies")], stage.logs) as supervisor:
            with pytest.raises(ProcessFailed, match=r"(?s)weak exited with 7.*out of luck") as failed:
                await supervisor.wait()
            assert failed.value.name == "weak"

    asyncio.run(story())
    assert stage.alive() == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Process("bad", ["/no/such/command"], 1), "exited with 127"),
        (Process("bad", [sys.executable, "-c", "raise SystemExit('no config')"], 1), "(?s)exited with 1.*no config"),
    ],
    ids=["no such command", "ends at start"],
)
def test_a_start_that_fails_is_told_with_the_end_of_the_log(stage: Stage, bad: Process, reason: str) -> None:
    async def story() -> None:
        async with Supervisor([stage.server("good"), bad], stage.logs):
            pytest.fail("the stack is not complete")

    with pytest.raises(ProcessFailed, match=reason):
        asyncio.run(story())
    assert stage.alive() == []


def test_a_process_that_is_never_ready_is_a_failure(stage: Stage) -> None:
    async def story() -> None:
        async with Supervisor([stage.server("late", "slow", ready_seconds=0.3)], stage.logs):
            pytest.fail("it is not ready")

    with pytest.raises(ProcessFailed, match="late was not ready"):
        asyncio.run(story())


def test_a_port_in_use_is_a_failure(stage: Stage) -> None:
    process = stage.server("late")
    with (
        socket.create_server(("127.0.0.1", process.port or 0)),
        pytest.raises(SupervisorError, match=r"late: port \d+ is in use"),
        SupervisorThread(Supervisor([process], stage.logs)),
    ):
        pytest.fail("somebody else answers on that port")


def test_a_thread_runs_it_for_code_without_an_event_loop(stage: Stage) -> None:
    with SupervisorThread(Supervisor([stage.server("load")], stage.logs)) as stack:
        before = stack.supervisor.pid("load")
        stack.kill("load")
        stack.start("load")
        assert stack.supervisor.pid("load") != before
        assert stack.stop("load") == -signal.SIGTERM
        stack.start("load")
    assert len(stage.seen()) == 6
    assert stage.alive() == []


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(stage: Stage) -> None:
    with SupervisorThread(Supervisor([stage.server("deaf", "stubborn")], stage.logs, grace_seconds=0.3)):
        assert len(stage.alive()) == 2
    assert stage.alive() == []


def test_an_exception_of_on_ready_stops_all_and_is_raised(stage: Stage) -> None:
    async def on_ready() -> None:
        raise LookupError("demo")

    with pytest.raises(LookupError, match="demo"):
        asyncio.run(Supervisor([stage.server("one")], stage.logs).run(on_ready))
    assert stage.alive() == []


def test_run_ends_when_a_stop_is_requested(stage: Stage) -> None:
    supervisor = Supervisor([stage.server("one")], stage.logs)

    async def on_ready() -> None:
        supervisor.request_stop()

    assert asyncio.run(supervisor.run(on_ready)) == 0
    assert stage.alive() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_everything(
    stage: Stage, command: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    running = command(stage.server("one"), stage.server("second"))
    assert len(stage.alive()) == 4
    running.send_signal(number)
    assert running.wait(10) == 0
    assert stage.alive() == []
    assert "one    | listening" in (tmp_path / "output").read_text()


def test_ctrl_c_at_a_terminal_reaches_the_supervisor_alone(
    stage: Stage, command: Callable[..., subprocess.Popen[str]]
) -> None:
    """A terminal signals the whole foreground group; the children are in others."""
    running = command(stage.server("one"))
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(10) == 0
    assert stage.alive() == []


def test_a_second_signal_does_not_wait(stage: Stage, command: Callable[..., subprocess.Popen[str]]) -> None:
    running = command(stage.server("deaf", "stubborn"), grace_seconds=60)
    running.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(0.3)
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == 0
    assert stage.alive() == []


def test_a_failure_is_printed_and_is_the_exit_code(
    stage: Stage, command: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    running = command(stage.server("good"), stage.server("weak", "dies"), ready=False)
    assert running.wait(20) == 1
    assert "weak exited with 7" in (tmp_path / "output").read_text()
    assert stage.alive() == []


@pytest.mark.parametrize("mood", ["calm", "stubborn"])
def test_a_killed_supervisor_leaves_no_orphan(
    stage: Stage, command: Callable[..., subprocess.Popen[str]], wait_for: Callable[..., Any], mood: str
) -> None:
    """Grandchildren neither, and no process that ignores SIGTERM."""
    running = command(stage.server("one", mood), stage.server("two"))
    assert len(stage.alive()) == 4
    running.kill()
    running.wait()
    wait_for(lambda: not stage.alive())


def test_a_supervisor_killed_while_it_starts_leaves_no_orphan(
    stage: Stage,
    command: Callable[..., subprocess.Popen[str]],
    wait_for: Callable[..., Any],
    process_list: Callable[[], list[str]],
) -> None:
    for delay in (0.15, 0.2, 0.25, 0.3):
        running = command(*(stage.server(f"s{number}") for number in range(4)), ready=False)
        time.sleep(delay)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    time.sleep(0.3)  # a child that was missed would by now have written its id
    wait_for(lambda: not stage.alive())
    assert not [line for line in process_list() if str(stage.pids) in line]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells who has ended and was not reaped")
def test_who_has_ended_and_was_not_reaped_is_not_waited_for() -> None:
    """In a container whose first process is no init, that is every orphan."""
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    assert group_lives(child.pid)
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    os.killpg(child.pid, 0)  # it is there still, as far as signals tell
    assert not group_lives(child.pid)
    child.wait()
    assert not group_lives(child.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells the first thread from the process")
def test_a_process_lives_until_its_last_thread_has_ended(wait_for: Callable[..., Any]) -> None:
    """A killed server's first thread may be gone while another still holds the port."""
    code = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    child = subprocess.Popen([sys.executable, "-S", "-c", code], start_new_session=True)
    try:
        wait_for(lambda: ") Z " in Path(f"/proc/{child.pid}/stat").read_text())
        assert group_lives(child.pid)
    finally:
        child.kill()
        child.wait()
    assert not group_lives(child.pid)


def test_free_ports_differ_and_prefer() -> None:
    ports = free_ports(0, 0, 0)
    assert len(set(ports)) == 3
    assert free_ports(ports[0]) == [ports[0]]
    with socket.create_server(("127.0.0.1", ports[0])):
        assert free_ports(ports[0])[0] not in (0, ports[0])


def test_free_ports_are_none_that_an_outgoing_connection_may_take_meanwhile() -> None:
    assert max(free_ports(*[0] * 50)) < 32768
