"""Logs: one JSON line an event, bound fields in each, whatever the values are."""

import io
import json
from datetime import timedelta, timezone
from typing import Any

import pytest

from shared import logs
from tests.support.world import at


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_fields() -> None:
    """Also when a value holds line breaks, is an instant, a set or something unknown."""
    stream = io.StringIO()
    with logs.captured(stream):
        moment = at(7).astimezone(timezone(timedelta(hours=2)))
        logs.info("thing.done", text="a\nb\u2028", rows=3, at=moment, names={"b", "a"}, odd=1j)
    assert stream.getvalue().count("\n") == 1
    (line,) = _lines(stream)
    assert line["severity"] == "INFO"
    assert line["event"] == line["message"] == "thing.done"
    assert (line["text"], line["rows"], line["names"]) == ("a\nb\u2028", 3, ["a", "b"])
    assert line["at"] == "2026-11-20T07:00:00Z"
    assert line["odd"] == "1j"
    assert line["time"].endswith("Z")


def test_bound_fields_stand_in_every_line_until_the_block_ends() -> None:
    """Inner blocks add to outer ones; None leaves a field out; an event's own field wins."""
    stream = io.StringIO()
    with logs.captured(stream):
        with logs.bound(run_id="r", source="s"):
            with logs.bound(window="w", revision=None):
                logs.info("inner", source="own")
            logs.info("outer")
        logs.info("after")
    inner, outer, after = _lines(stream)
    assert (inner["run_id"], inner["window"], inner["source"]) == ("r", "w", "own")
    assert "revision" not in inner
    assert (outer["source"], "window" in outer) == ("s", False)
    assert "run_id" not in after


def test_fields_are_unbound_when_the_block_fails() -> None:
    """The next message of a warm instance is another run."""
    stream = io.StringIO()
    with logs.captured(stream):
        with pytest.raises(ValueError, match="no number"), logs.bound(run_id="r"):
            int("no number")
        logs.info("after")
    assert "run_id" not in _lines(stream)[0]


def test_an_error_tells_its_type_and_traceback_in_the_same_line() -> None:
    """And a message of its own when it has one."""
    stream = io.StringIO()
    with logs.captured(stream):
        with pytest.raises(KeyError) as caught:
            dict[str, int]()["lost"]
        logs.error("thing.failed", caught.value, message="look here")
        logs.warning("thing.odd")
    failed, odd = _lines(stream)
    assert (failed["severity"], failed["error"], failed["message"]) == ("ERROR", "KeyError", "look here")
    assert "Traceback" in failed["exception"]
    assert odd["severity"] == "WARNING"
