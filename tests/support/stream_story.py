"""Stories of webhooks under bad luck: changes of which events tell, late, twice, in any order and while we read."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from shared.instants import to_text
from shared.ports import HttpRequest
from shared.state import layout
from tests.support.incident_io import Workspace
from tests.support.incidents import incident
from tests.support.simulation import NO_BAD_LUCK, Simulation
from tests.support.world import World, at, stream_registry_of

_INCIDENT = ("public_incident.incident_created_v2", "public_incident.incident_updated_v2")
_FOLLOW_UP = ("public_incident.follow_up_updated_v1", "public_incident.follow_up_updated_v2")
_IRRELEVANT = ("schedule.created_v1", "public_incident.renamed_v9", "")


@dataclass(slots=True)
class StreamStory:
    """A simulation whose workspaces tell of their changes, and everything that they told."""

    simulation: Simulation
    received: set[tuple[str, str]] = field(default_factory=set)
    """Workspace and webhook id of every event."""
    unpolled_modes: set[str] = field(default_factory=set)
    """Ids of incidents that the registry does not want."""

    @property
    def world(self) -> World:
        """What is simulated."""
        return self.simulation.world

    @property
    def random(self) -> Random:
        """The story's luck."""
        return self.simulation.random

    def change_something(self) -> None:
        """A change at the vendor, and what its webhooks make of it."""
        workspace = self.random.choice(list(self.world.workspaces.values()))
        match self.random.choice(("incident", "incident", "follow_up", "nothing")):
            case "incident":
                self._change_incident(workspace)
            case "follow_up" if workspace.incidents:
                self._change_follow_up(workspace)
            case _:
                self._tell(workspace, self.random.choice(_IRRELEVANT), {"id": "S"})
                self._tell(workspace, "private_incident.incident_updated_v2", {"id": "nobody-may-see"})

    def _change_incident(self, workspace: Workspace) -> None:
        now, number = self.world.clock.now(), self.random.randint(0, 4)
        name = f"{workspace.identity[0]}{number}"
        mode = "test" if number == 4 else "standard"
        there = workspace.incidents.get(name)
        created = there.created_at if there is not None else now
        workspace.put(incident(name, created, now, summary=f"at {to_text(now)}", mode=mode))
        said = workspace.updates.setdefault(name, [])
        said.append({"id": f"{name}-{len(said)}", "incident_id": name, "created_at": to_text(now), "updater": {}})
        if mode == "test":
            self.unpolled_modes.add(name)
        private = self.random.random() < 0.3
        for event_type in ("private_incident.incident_updated_v2",) if private else _INCIDENT:
            self._tell(workspace, event_type, {"id": name})
        if not private and self.random.random() < 0.5:
            self._tell(workspace, "public_incident.incident_status_updated_v2", {"incident": {"id": name}})

    def _change_follow_up(self, workspace: Workspace) -> None:
        now = to_text(self.world.clock.now())
        about = self.random.choice(sorted(workspace.incidents))
        name = f"f-{about}"
        workspace.follow_ups[name] = {
            "id": name,
            "incident_id": about,
            "title": f"at {now}",
            "status": "outstanding",
            "creator": {},
            "created_at": to_text(at(0)),
            "updated_at": now,
        }
        for event_type in _FOLLOW_UP:
            self._tell(workspace, event_type, {"id": name, "incident_id": about})

    def _tell(self, workspace: Workspace, event_type: str, payload: dict[str, Any]) -> None:
        webhook_id = f"msg_{len(self.received)}"
        self.received.add((workspace.identity, webhook_id))
        for _ in range(self.random.choice((1, 1, 2))):
            self.world.receive(workspace.identity, webhook_id, event_type, payload)

    def tick_all(self, likelihood: float = 1.0) -> None:
        """The scheduler's messages for the stream of every workspace; some may get lost."""
        for workspace in self.world.workspaces:
            for source in self.world.stream(workspace):
                if self.random.random() < likelihood:
                    self.simulation.tick_source(source)


def random_stream_story(seed: int) -> StreamStory:
    """Two workspaces, windows with lost ticks, changes between and during them; run to quiet, nothing polled."""
    random = Random(seed)
    world = World(
        *("alpha", "beta"),
        now=at(7.01),
        soft_deadline_seconds=random.choice((2, 420)),
        registry=stream_registry_of("alpha", "beta"),
    )

    def slowly(_: HttpRequest) -> None:
        world.clock.sleep(random.choice((0.01, 0.8)))

    world.vendor.before_answer = slowly
    story = StreamStory(Simulation(world, random))
    story.simulation.at_any_moment = story.change_something
    for _ in range(4):
        for _ in range(random.randint(0, 4)):
            story.change_something()
            world.clock.sleep(random.choice((0.5, 40.0)))
        story.tick_all(likelihood=0.9)
        if random.random() < 0.3:
            world.clock.sleep(300)
            continue  # the next window's ticks are there before anything of this one's was delivered
        story.simulation.run_until_quiet()
    story.simulation.at_any_moment = None
    # every open window is closed by now; what one left undone is still in the spool
    story.simulation.run_until_quiet()
    story.tick_all()
    story.simulation.run_until_quiet()
    return story


def one_stream_window(die_at_moment: int | None = None) -> StreamStory:
    """One window of one workspace without bad luck but one death."""
    world = World("alpha", now=at(7.01), registry=stream_registry_of("alpha"))
    story = StreamStory(Simulation(world, Random(0), NO_BAD_LUCK, die_at_moment=die_at_moment))
    for _ in range(6):
        story.change_something()
        world.clock.sleep(5)
    story.tick_all()
    story.simulation.run_until_quiet()
    return story


def assert_stream_truth(story: StreamStory) -> None:
    """What must hold once everything is quiet, whatever went wrong before."""
    world, tables = story.world, story.world.warehouse.tables
    assert story.simulation.permanent == []
    assert list(world.spool.list("")) == []
    assert set(tables["FACT_INCIDENT_EVENTS"]) == story.received
    now = world.clock.now()
    of_workspaces = world.workspaces.values()
    incidents = {
        (workspace.identity, name): json.loads(record)
        for workspace in of_workspaces
        for name, record in workspace.now(now).items()
        if name not in story.unpolled_modes
    }
    assert {key: json.loads(row["payload"]) for key, row in world.table.items()} == incidents
    follow_ups = {
        (workspace.identity, name): follow_up
        for workspace in of_workspaces
        for name, follow_up in workspace.follow_ups.items()
        if follow_up["incident_id"] not in story.unpolled_modes
    }
    kept = tables["FACT_INCIDENT_FOLLOW_UPS"]
    assert {key: json.loads(row["payload"]) for key, row in kept.items()} == follow_ups
    updates = {(w.identity, said["id"]) for w in of_workspaces for each in w.updates.values() for said in each}
    assert set(tables["FACT_INCIDENT_UPDATES"]) == updates
    assert world.names(layout.OPEN) == []
    assert world.names(layout.REQUESTS) == []
    assert world.dbt.marts == world.table, "the marts were not built after the last load"
    for source in world.registry.enabled("ops_incidents_stream"):
        watermark = world.documents.get(layout.watermark(source.name))
        assert watermark is not None
        assert watermark.value["value"] is None
