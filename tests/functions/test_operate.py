"""The operator's commands as a person runs them, against the real functions and the emulators."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.pubsub_v1 import PublisherClient

from shared.redelivery import dead_topic
from shared.registry import registry
from tests.contract.stack import ROOT
from tests.functions.envelopes import PROJECT, finalised, message, pushed
from tests.functions.platform import LANDING, Platform, new_window, published
from tests.functions.vendor import Vendor, incident

pytestmark = pytest.mark.emulated

SOURCE = "incident_io_companya_incidents"
TOPIC = registry().source(SOURCE).topic


def _run(platform: Platform, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPP_")}
    done = subprocess.run(
        [sys.executable, "-m", "shared.operate", *arguments],
        cwd=ROOT,
        env={**environment, **platform.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def _json(platform: Platform, *arguments: str, code: int = 0) -> Any:
    return json.loads(_run(platform, *arguments, "--json", code=code).stdout)


@contextmanager
def delivering(platform: Platform) -> Iterator[list[dict[str, Any]]]:
    """Deliver meanwhile what is published to the source's topic, and what lands from it; what was delivered."""
    delivered: list[dict[str, Any]] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            for asked in published(platform, TOPIC):
                delivered.append(asked)
                platform.deliver("extract", pushed(message(asked["attributes"], asked["data"])))
                for stored in platform.landing.list(f"landing/{SOURCE}/"):
                    if f"/r{asked['attributes']['revision']}/" in stored.name:
                        platform.deliver("load", pushed(finalised(LANDING, stored)))
            time.sleep(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield delivered
    finally:
        over.set()
        thread.join(60)


def test_a_backfill_shows_its_plan_runs_and_is_done(platform: Platform, vendor: Vendor) -> None:
    """Two chunks of a stretch that no window of the tests lies in; running it again does nothing."""
    vendor.incidents = [incident("backfilled", datetime(2020, 1, 10, tzinfo=UTC))]
    stretch = (SOURCE, "2020-01-01", "2020-02-10", "--chunk-days", "30")
    plan = _json(platform, "backfill", *stretch, "--dry-run")["sources"][SOURCE]
    assert [(c["start"], c["end"], c["done"]) for c in plan["chunks"]] == [
        ("2020-01-01T00:00:00Z", "2020-01-31T00:00:00Z", False),
        ("2020-01-31T00:00:00Z", "2020-02-10T00:00:00Z", False),
    ]
    refused = _run(platform, "backfill", *stretch, code=1)
    assert "give --yes" in refused.stderr
    assert published(platform, TOPIC) == []

    with delivering(platform) as delivered:
        done = _run(platform, "backfill", *stretch, "--yes")

    assert [d["attributes"]["window"][21:] for d in delivered] == ["2020-01-31T00:00:00Z", "2020-02-10T00:00:00Z"]
    assert "2/2" in done.stderr
    assert "\r" not in done.stderr  # nobody looks at a terminal
    assert len(platform.rows("incident_id = 'backfilled'")) == 1
    again = _json(platform, "backfill", *stretch, "--yes")["sources"][SOURCE]
    assert (again["chunks_done"], [c["revision"] for c in again["chunks"]]) == (2, [1, 1])
    assert platform.state.stat(f"watermarks/{SOURCE}.json") is None or "2020" not in _watermark(platform)


def _watermark(platform: Platform) -> str:
    found = platform.state.read(f"watermarks/{SOURCE}.json")
    assert found is not None
    return found[0].decode()


def test_what_cannot_be_backfilled_says_why(platform: Platform) -> None:
    refused = _run(platform, "backfill", "github_users", "2026-01-01", "2026-01-02", code=1)
    assert "cannot be backfilled: it shows the present only" in refused.stderr
    assert (
        "neither a pipeline nor a source" in _run(platform, "backfill", "x", "2026-01-01", "2026-01-02", code=1).stderr
    )


def test_a_record_in_quarantine_is_listed_shown_closed_and_asked_for_again(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    name = f"bad-{window.id}"
    vendor.incidents = [incident(name, window.end - timedelta(minutes=1), severity="none", name="Jane's laptop")]
    platform.deliver("extract", pushed(message({"source": SOURCE, "window": window.interval})))
    listed = _json(platform, "quarantine", "list", "--kind", "records", "--source", SOURCE)
    (entry,) = [e for e in listed if e["window"] == window.id]
    assert (entry["reasons"], entry["state"], entry["revision"]) == ({"wrong_type": 1}, "open", 0)
    shown = _run(platform, "quarantine", "show", entry["name"]).stdout
    assert f"id: {name}" in shown
    assert "Jane" not in shown

    vendor.incidents = [incident(name, window.end - timedelta(minutes=1))]
    with delivering(platform):
        (outcome,) = _json(platform, "quarantine", "replay", entry["name"])
        assert outcome["asked"].endswith("as revision 1")
        end = time.monotonic() + 30
        while not platform.rows(f"incident_id = '{name}'"):
            assert time.monotonic() < end
            time.sleep(0.1)
    everything = _json(platform, "quarantine", "list", "--everything", "--source", SOURCE, "--kind", "records")
    assert {e["name"]: e["state"] for e in everything}[entry["name"]] == "replayed"


def test_dead_letters_are_listed_and_published_again(platform: Platform) -> None:
    window = new_window()
    with platform.stack.in_environment():
        publisher = PublisherClient()
    attributes = {"source": SOURCE, "window": window.interval, "revision": "3"}
    publisher.publish(publisher.topic_path(PROJECT, dead_topic(TOPIC)), b"{}", **attributes).result(10)
    publisher.transport.close()
    (letter,) = _json(platform, "dead-letters", "list", "--topic", SOURCE)
    assert letter["attributes"] == attributes
    assert _run(platform, "dead-letters", "replay", code=2).stdout.startswith("Say which")
    assert "were not found" in _run(platform, "dead-letters", "replay", "17", "--topic", TOPIC, code=1).stderr
    (again,) = _json(platform, "dead-letters", "replay", letter["id"], "--topic", TOPIC)
    assert again["id"] == letter["id"]
    assert [m["attributes"] for m in published(platform, TOPIC)] == [{**attributes, "redrives": "1"}]
    assert _json(platform, "dead-letters", "list") == []


def test_a_service_that_is_down_is_not_now(platform: Platform) -> None:
    """Exit code 75, as for every program that may succeed later."""
    environment = {**platform.environment, "PUBSUB_EMULATOR_HOST": "127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-m", "shared.operate", "dead-letters", "list", "--topic", "landed"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, "Try again" in done.stderr) == (75, True), done.stderr
