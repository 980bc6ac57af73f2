"""What a failure means at an entry point: recorded and acknowledged, or raised to come again."""

import io
import json
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from shared import logs
from shared.delivery import deliver
from shared.errors import (
    AuthenticationFailed,
    ConfigurationError,
    MalformedMessage,
    PermanentError,
    PipelineError,
    RejectedObject,
    SourceUnavailable,
    StateConflict,
    TransientError,
)
from shared.messages import Message
from tests.support.world import World, at


class Event(dict[str, str]):
    """A CloudEvent."""

    def __init__(self, data: object) -> None:
        super().__init__(id="event-1", time="2026-11-20T07:00:00Z")
        self.data = data


GOOD = {"message": {"messageId": "7", "attributes": {"source": "s"}}}


def _deliver(world: World, data: object, outcome: BaseException | None = None) -> list[dict[str, Any]]:
    stream = io.StringIO()

    def handle(message: Message, run_id: str) -> None:
        logs.info("handled", id=message.id)
        if outcome is not None:
            raise outcome

    with logs.captured(stream):
        try:
            deliver(Event(data), handle, run_id="run-1", trace="projects/p/traces/t", quarantine=world.quarantine)
        finally:
            lines = [json.loads(line) for line in stream.getvalue().splitlines()]
            assert all(line["run_id"] == "run-1" for line in lines)
            assert all(line[logs.TRACE] == "projects/p/traces/t" for line in lines)
    return lines


def _notes(world: World) -> list[dict[str, Any]]:
    found = [world.quarantine.read(s.name) for s in world.quarantine.list("messages/")]
    return [json.loads(each[0]) for each in found if each is not None]


@pytest.mark.parametrize(
    "error",
    [
        MalformedMessage("no"),
        RejectedObject("no"),
        AuthenticationFailed("no", secret="incident-io-alpha"),
        ConfigurationError(["a", "b"]),
    ],
)
def test_a_permanent_failure_is_recorded_once_and_acknowledged(error: PermanentError) -> None:
    """With its reason; delivered again, nothing is added."""
    world = World(now=at(7))
    for _ in range(2):
        _, failed = _deliver(world, GOOD, error)
    assert failed["severity"] == "ERROR"
    assert (failed["kind"], failed["error"]) == ("permanent", type(error).__name__)
    assert failed["secret"] == getattr(error, "secret", None)
    (note,) = _notes(world)
    assert note["reason"] == f"{type(error).__name__}: {error}"
    assert note["message"] == {"data": GOOD}


@pytest.mark.parametrize("error", [SourceUnavailable("503"), StateConflict("moved"), TransientError("x")])
def test_a_transient_failure_is_raised_and_comes_again(error: TransientError) -> None:
    """No record, a warning only."""
    world = World(now=at(7))
    with pytest.raises(ServiceUnavailable) as caught:
        _deliver(world, GOOD, error)
    assert caught.value.__cause__ is error
    assert _notes(world) == []


def test_what_nobody_expected_is_raised_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """A defect: it comes again, and ends in the dead letters."""
    world = World(now=at(7))
    with pytest.raises(ZeroDivisionError):
        deliver(Event(GOOD), lambda m, r: print(1 / 0), run_id="r", trace=None, quarantine=world.quarantine)  # noqa: T201
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["severity"]) == ("run.crashed", "ERROR")
    assert "ZeroDivisionError" in line["exception"]
    assert _notes(world) == []


def test_a_body_that_is_no_message_is_kept_and_acknowledged() -> None:
    """Before anything is handled."""
    world = World(now=at(7))
    (line,) = _deliver(world, {"what": "is this"})
    assert line["event"] == "message.malformed"
    assert _notes(world)[0]["subject"] == "event-1"


def test_a_message_is_handled_with_the_run_s_id() -> None:
    """And nothing is kept."""
    world = World(now=at(7))
    (line,) = _deliver(world, GOOD)
    assert (line["event"], line["id"]) == ("handled", "7")
    assert _notes(world) == []


def test_every_error_is_transient_or_permanent_and_never_both() -> None:
    """The type says whether to try again."""

    def leaves(kind: type[PipelineError]) -> set[type[PipelineError]]:
        return {kind}.union(*(leaves(each) for each in kind.__subclasses__()))

    transient, permanent = leaves(TransientError), leaves(PermanentError)
    assert not transient & permanent
    ours = {each for each in leaves(PipelineError) if each.__module__ == "shared.errors"}
    assert ours - transient - permanent == {PipelineError}
