"""A simulator of bad luck: the platform over its fakes, and a seeded scheduler that duplicates, reorders, crashes and
interleaves deliveries until everything is quiet. What is true then must not depend on the seed.

A crash is a BaseException raised before or after an effect, so no `except Exception` can swallow it. Interleaving is
real too: at an effect, another delivery may run from beginning to end while the first one waits.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from shared.errors import PermanentError, TransientError
from shared.instants import to_text
from shared.landing import PartMetadata, PartName
from shared.messages import LANDED_TOPIC
from shared.quarantine import records_name
from shared.state import layout
from shared.windows.schedule import last_instant
from shared.windows.window import Window
from tests.support.incident_io import response, unavailable
from tests.support.incidents import incident, with_raw_field
from tests.support.world import LANDING, World, at, source_name

JOB = "job"
_MOST_STEPS = 3000


class Crash(BaseException):
    """The process dies here."""


@dataclass(slots=True)
class Delivery:
    """A message under way: delivered until it is acknowledged, perhaps once more after that."""

    topic: str
    attributes: dict[str, str]
    body: bytes
    published_at: datetime
    attempts: int = 0


@dataclass(slots=True)
class Luck:
    """How bad it gets: probabilities of what goes wrong."""

    crash: float = 0.02
    interleave: float = 0.03
    duplicate: float = 0.2
    lose_notification: float = 0.1
    source_fault: float = 0.1
    build_fails: float = 0.1


NO_BAD_LUCK = Luck(0, 0, 0, 0, 0, 0)


@dataclass(slots=True)
class Simulation:
    """One story told with one seed."""

    world: World
    random: Random
    luck: Luck = field(default_factory=Luck)
    pending: list[Delivery] = field(default_factory=list)
    jobs_seen: int = 0
    finalised_seen: int = 0
    crashes: int = 0
    interleaved: int = 0
    permanent: list[PermanentError] = field(default_factory=list)
    ticked_at: datetime = field(default_factory=lambda: at(0))
    """When the newest tick was published."""
    moments: list[tuple[str, str, str]] = field(default_factory=list)
    """Every moment at which a process could have died."""
    die_at_moment: int | None = None
    at_any_moment: Callable[[], None] | None = None
    """What the world does by itself now and then, at an effect of ours."""
    _depth: int = 0

    def tick(self, workspace: str) -> None:
        """The scheduler's message for this source."""
        self.tick_source(source_name(workspace))

    def tick_source(self, source: str) -> None:
        """The scheduler's message for any source."""
        now = self.world.clock.now()
        topic = self.world.registry.source(source).topic
        self.pending.append(Delivery(topic, {"source": source}, b"{}", now))
        self.ticked_at = now

    def run_until_quiet(self) -> None:
        """Deliver everything in any order, sweeping whenever nothing is under way, until a sweep finds nothing."""
        self.world.faults.hook = self._at_effect
        quiet_sweeps = 0
        for _ in range(_MOST_STEPS):
            self._collect()
            if self.pending:
                quiet_sweeps = 0
                self._deliver(self.random.choice(self.pending))
                continue
            self.world.clock.sleep(1200)
            before = self._held()
            self._attempt(self.world.sweep)
            self._collect()
            quiet_sweeps = quiet_sweeps + 1 if not self.pending and self._held() == before else 0
            if quiet_sweeps == 2:
                self.world.faults.hook = None
                return
        raise AssertionError(f"not quiet after {_MOST_STEPS} steps: {self.pending[:5]}")

    def _held(self) -> list[tuple[str, int]]:
        return [(stored.name, stored.generation) for stored in self.world.state.list("")]

    def _collect(self) -> None:
        """Everything the fakes hold that Pub/Sub, Cloud Storage or Cloud Run would deliver."""
        world, now = self.world, self.world.clock.now()
        for (topic, attributes), body in zip(world.publisher.messages, world.publisher.bodies, strict=True):
            self.pending.append(Delivery(topic, attributes, body, now))
        world.publisher.messages, world.publisher.bodies = [], []
        for bucket, stored in world.cloud.finalised[self.finalised_seen :]:
            if bucket != LANDING or self.random.random() < self.luck.lose_notification:
                continue
            resource = {
                "bucket": bucket,
                "name": stored.name,
                "generation": str(stored.generation),
                "crc32c": stored.crc32c,
                "metadata": dict(stored.metadata),
            }
            attributes = {"eventType": "OBJECT_FINALIZE"}
            self.pending.append(Delivery(LANDED_TOPIC, attributes, json.dumps(resource).encode(), now))
        self.finalised_seen = len(world.cloud.finalised)
        for _ in world.jobs.started[self.jobs_seen :]:
            self.pending.append(Delivery(JOB, {}, b"", now))
        self.jobs_seen = len(world.jobs.started)

    def _deliver(self, delivery: Delivery) -> None:
        delivery.attempts += 1
        self.world.clock.sleep(self.random.choice((0.25, 1.5, 20.0)))
        if delivery in self.pending:
            self.pending.remove(delivery)
        done = self._attempt(lambda: self._handle(delivery))
        again = self.random.random() < self.luck.duplicate if done else delivery.topic != JOB  # a job is not retried
        if again and (delivery.attempts < 12 or not done):
            self.pending.append(delivery)

    def _handle(self, delivery: Delivery) -> None:
        if delivery.topic == JOB:
            if self.random.random() < self.luck.build_fails:
                self.world.dbt.fail_next = 1
            self.world.job()
        elif delivery.topic == LANDED_TOPIC:
            self.world.load_message(delivery.attributes, delivery.body)
        else:
            if self.random.random() < self.luck.source_fault and not self.world.vendor.queued:
                faults = (response(503), unavailable(), response(429, retry_after="7"), response(200, b"<html>"))
                self.world.vendor.answer_next(self.random.choice(faults))
            self.world.extract(delivery.attributes, delivery.published_at)

    def _attempt(self, act: Callable[[], object]) -> bool:
        """Whether the message is acknowledged."""
        self._depth += 1
        try:
            act()
        except Crash:
            return False
        except TransientError as exc:
            self.world.clock.sleep(min(exc.retry_after or 10, 60))
            return False
        except PermanentError as exc:
            self.permanent.append(exc)
            return True
        finally:
            self._depth -= 1
        return True

    def _at_effect(self, moment: str, effect: str, subject: str) -> None:
        self.moments.append((moment, effect, subject))
        self.world.clock.sleep(0.001)
        if len(self.moments) - 1 == self.die_at_moment:
            self.crashes += 1
            raise Crash(f"{moment} {effect} {subject}")
        if self.at_any_moment is not None and self.random.random() < self.luck.interleave:
            # not an effect of ours: nobody dies of it
            self.world.faults.hook = None
            self.at_any_moment()
            self.world.faults.hook = self._at_effect
        chance = self.random.random()
        if chance < self.luck.crash:
            self.crashes += 1
            raise Crash(f"{moment} {effect} {subject}")
        if chance < self.luck.crash + self.luck.interleave and self._depth == 1:
            self._collect()
            if self.pending:
                self.interleaved += 1
                # sometimes the first one sleeps for so long that its lease is gone
                self.world.clock.sleep(self.random.choice((0.0, 200.0)))
                self._deliver(self.random.choice(self.pending))


def random_story(seed: int) -> tuple[Simulation, set[str]]:
    """Two workspaces, three windows, updates between and during them; run to quiet.

    Returns the simulation and the ids of the incidents that break the contract.
    """
    random = Random(seed)
    soft_deadline = random.choice((0, 420))
    world = World("alpha", "beta", now=at(7.01), soft_deadline_seconds=soft_deadline)
    bad: set[str] = set()
    for workspace in world.workspaces.values():
        for number in range(random.randint(0, 9)):
            name = f"{workspace.identity[0]}{number}"
            created = at(random.uniform(-500, 8.5))
            versions = [created, *(t for t in (at(random.uniform(4, 9.5)) for _ in range(2)) if t > created)]
            broken = random.random() < 0.15
            if broken:
                bad.add(name)
            for version, updated in enumerate(sorted(versions)):
                record = incident(name, created, updated, summary=f"version {version}")
                raw = with_raw_field(record, "severity", b'"none"') if broken else None
                workspace.put(record, raw=raw)
    story = Simulation(world, random)
    for hour in (7, 8, 9, 10):
        world.clock.move_to(max(world.clock.now(), at(hour + 0.01)))
        for workspace in world.workspaces.values():
            if hour == 10 or random.random() < 0.9:
                story.tick(workspace.identity)
        if hour < 10 and random.random() < 0.3:
            continue  # nothing is delivered before the next hour's ticks are there as well
        story.run_until_quiet()
    return story, bad


def one_window(die_at_moment: int | None = None) -> tuple[Simulation, set[str]]:
    """One window of two workspaces without bad luck but one death: two parts, an incident that is rejected."""
    world = World("alpha", "beta", now=at(7.01), soft_deadline_seconds=0)
    alpha, beta = world.workspaces.values()
    for number in range(4):
        alpha.put(incident(f"a{number}", at(5 + number / 10)))
    beta.put(incident("b0", at(6.5)))
    beta.put(incident("bad", at(6.6)), raw=with_raw_field(incident("bad", at(6.6)), "severity", b'"none"'))
    story = Simulation(world, Random(0), NO_BAD_LUCK, die_at_moment=die_at_moment)
    for workspace in world.workspaces:
        story.tick(workspace)
    story.run_until_quiet()
    return story, {"bad"}


def assert_truth(story: Simulation, bad: set[str]) -> None:
    """What must hold once everything is quiet, whatever went wrong before."""
    world = story.world
    now = world.clock.now()
    truth = {
        (workspace.identity, name): json.loads(record)
        for workspace in world.workspaces.values()
        for name, record in workspace.now(now).items()
        if name not in bad
    }
    table = {key: json.loads(row["payload"]) for key, row in world.table.items()}
    assert table == truth
    assert story.permanent == []
    _assert_ledger(world)
    _assert_state(story)
    _assert_quarantine(world, {name for w in world.workspaces.values() for name in w.now(now)} & bad)


def _assert_ledger(world: World) -> None:
    with_rows = [(s.name, s.generation) for s in world.landed() if int(s.metadata["rows"])]
    assert sorted(world.warehouse.ledgers["FACT_INCIDENTS__LEDGER"]) == sorted(with_rows)
    for stored in world.landed():
        name = PartName.parse(stored.name)
        assert world.documents.exists(layout.marker(name.source, name.window_id, name.revision, name.part))


def _assert_state(story: Simulation) -> None:
    world = story.world
    assert world.names(layout.REQUESTS) == []
    assert world.names(layout.OPEN) == []
    assert world.dbt.marts == world.table, "the marts were not built after the last load"
    for digest in set(world.dbt.built):
        # a job that dies between dbt's end and its own notes cannot know that dbt was done
        assert world.dbt.built.count(digest) <= 1 + story.crashes + story.interleaved
    for name in world.names("windows/"):
        if name.endswith("closed.json"):
            _assert_window_table(world, world.value(name))
    for source in world.registry.sources:
        _assert_watermark(world, source, last_instant("0 * * * *", story.ticked_at))


def _assert_window_table(world: World, closed: dict[str, Any]) -> None:
    if world.names(layout.CLOSINGS):
        return  # recorded with the next build; a window without rows wakes no warehouse
    window = Window.from_interval(closed["pipeline"], closed["window"])
    for source, outcome in closed["sources"].items():
        recorded = world.warehouse.windows[window.pipeline, window.id, source]
        assert (recorded.status, recorded.rows_landed) == (outcome["status"], outcome["rows"]), window


def _assert_watermark(world: World, source: str, newest_end: datetime) -> None:
    versions = [row["updated_at"] for row in world.table.values() if row["_source"] == source]
    watermark = world.documents.get(layout.watermark(source))
    assert watermark is not None
    assert watermark.value["covered_to"] == to_text(newest_end)
    if versions:
        assert watermark.value["value"] == to_text(min(max(versions), newest_end))


def _assert_quarantine(world: World, expected: set[str]) -> None:
    assert {json.loads(line["record"])["id"] for line in world.quarantined()} == expected
    for stored in world.landed():
        metadata = PartMetadata.from_mapping(stored.name, stored.metadata)
        kept = world.quarantine.read(records_name(PartName.parse(stored.name), metadata.run_id))
        assert len(kept[0].splitlines() if kept else ()) == metadata.rejected
