"""Alerts match log lines by their events: the code must log them, with the fields that the filters ask for."""

import ast
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared import logs
from shared.errors import AuthenticationFailed, MalformedMessage
from shared.settle import settle
from shared.windows.outcome import WindowStatus
from tests.infra.configuration import ROOT, data, text_of

ALERTS = data("alerts.yaml")
DEPLOYED = sorted(path for folder in ("shared", "functions", "dbt") for path in (ROOT / folder).rglob("*.py"))
EVENT = re.compile(r"[a-z]+\.[a-z_]+")


def _events(path: Path) -> set[str]:
    """The events that a file may log: the texts of that form in it; a status inside one stands for every status."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and EVENT.fullmatch(node.value):
            found.add(node.value)
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
            text = "".join(str(part) for part in parts)
            found |= {text.replace("\0", status) for status in WindowStatus if text.count("\0") == 1}
    return found


def _logs(path: Path) -> bool:
    # the repairs of the sweep log through their round
    return "logs" in path.read_text() or path.parent.name == "sweep"


LOGGED = {event: path for path in DEPLOYED if _logs(path) for event in _events(path)}


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_the_code_logs_what_an_alert_waits_for(alert: str) -> None:
    """An event that was renamed would never raise it again."""
    assert set(ALERTS[alert]["events"]) <= set(LOGGED)


@pytest.mark.parametrize("alert", sorted(name for name, alert in ALERTS.items() if "where" in alert))
def test_the_fields_and_values_of_a_filter_stand_where_the_event_is_logged(alert: str) -> None:
    """The event is logged by several places; one of them says all of this."""
    wanted = {str(value) for values in ALERTS[alert]["where"].values() for value in values} | set(
        ALERTS[alert]["where"]
    )
    for event in ALERTS[alert]["events"]:
        saying = [
            path
            for path in DEPLOYED
            if event in (text := path.read_text()) and all(re.search(rf"\b{word}\b", text) for word in wanted)
        ]
        assert saying, f"nobody logs {event} with {sorted(wanted)}"


def test_every_alert_says_what_a_person_may_do() -> None:
    """At three in the morning the title alone is not enough."""
    for alert in ALERTS.values():
        assert set(alert) <= {"title", "severity", "events", "where", "text"}
        assert alert["severity"] in ("ERROR", "WARNING", "CRITICAL")
        assert len(alert["text"]) > 80


def _lines(work: Callable[[], None]) -> list[dict[str, Any]]:
    stream = io.StringIO()
    with logs.captured(stream):
        work()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("failure", "alert"),
    [
        (MalformedMessage("no source"), "quarantined"),
        (AuthenticationFailed("refused", secret="a-reference"), "failed_for_good"),
    ],
)
def test_a_failure_raises_its_alert(failure: Exception, alert: str) -> None:
    """The line that is written has the field by which Terraform's filter finds it."""

    def work() -> None:
        with settle(lambda _: None):
            raise failure

    (line,) = _lines(work)
    assert line["event"] in ALERTS[alert]["events"]
    assert line["severity"] == "ERROR"
    assert "jsonPayload.event=(" in text_of("monitoring.tf")


def test_a_line_has_the_fields_that_alerts_show() -> None:
    """Labels of an incident are taken from the line."""
    shown = set(re.findall(r"EXTRACT\(jsonPayload\.(\w+)\)", text_of("monitoring.tf")))
    assert shown == {"message", "pipeline", "source", "window"}

    def work() -> None:
        with logs.bound(pipeline="p", source="s", window="w"):
            logs.info("run.finished")

    (line,) = _lines(work)
    assert shown <= set(line)
