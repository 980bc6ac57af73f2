"""The whole platform over the in-memory adapters: the entry points' few lines, without a framework."""

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.memory import (
    Faults,
    MemoryClock,
    MemoryCloud,
    MemoryHttp,
    MemoryJobs,
    MemorySecrets,
)
from shared.adapters.memory_pubsub import MemoryPublisher, MemorySubscriber
from shared.adapters.memory_warehouse import MemoryWarehouse
from shared.contracts import CONTRACTS
from shared.errors import NotYet
from shared.extract.run import ExtractPorts, extract_window
from shared.extract.summary import ExtractSummary
from shared.load.run import LoadPorts, LoadSummary, load_object
from shared.messages import ExtractMessage, LandedMessage, Message
from shared.ports import StoredObject
from shared.registry.load import Registry, parse_registry
from shared.sources.families import FAMILIES
from shared.sources.family import Family
from shared.spool import SpooledEvent
from shared.state import layout
from shared.state.documents import Documents
from shared.sweep.run import SweepPorts, SweepSummary, sweep
from shared.transform.gate import Freshness
from shared.transform.run import BuildPlan, BuildReport, TransformPorts, build_pending
from shared.windows.closing import ClosingPorts
from shared.windows.schedule import window_at
from shared.windows.window import Window
from tests.support.incident_io import IncidentIoInMemory, Workspace

TABLE = "FACT_INCIDENTS"
LANDING, STATE, QUARANTINE, SPOOL = "landing", "state", "quarantine", "spool"


def source_block(workspace: str, **changes: Any) -> dict[str, Any]:
    """A source's registry block."""
    return {
        "slug": f"inc-{workspace}",
        "pipeline": "ops_incidents",
        "contract": "incidents",
        "base_url": "https://api.incident.io",
        "auth": {"header": "Authorization", "scheme": "Bearer"},
        "secret": f"incident-io-{workspace}",
        "cursor": "updated_at",
        "lookback_minutes": 60,
        "history_from": "2019-01-01T00:00:00Z",
        "page_size": 3,
        "requests_per_minute": 6000,
        "freshness": {"warn_after_minutes": 120, "error_after_minutes": 1440},
        "settings": {
            "workspace": workspace,
            "identity": workspace,
            "webhook_secret": f"incident-io-{workspace}-webhook",
            "modes": ["standard", "retrospective"],
            "timestamps": {"detected_at": "Detected at", "fixed_at": "Fixed at", "resolved_at": "Resolved at"},
            "temperatures": {1: "low"},
        },
        "domain": "incident_io",
        "entity": "incidents",
        "instance": workspace,
        **changes,
    }


def pipeline_block(**changes: Any) -> dict[str, Any]:
    """A pipeline's registry block."""
    block = {"description": "Hourly.", "cron": "0 * * * *", "deadline_minutes": 45, "dbt_select": "tag:ops_incidents"}
    return {**block, **changes}


def registry_of(*workspaces: str, **changes: Any) -> Registry:
    """A registry of these workspaces; `changes` apply to each source."""
    return parse_registry(
        {
            "pipelines.yaml": {"pipelines": {"ops_incidents": pipeline_block()}},
            "incident_io.yaml": {
                "family": "incident_io",
                "sources": {source_name(w): source_block(w, **changes) for w in workspaces},
            },
        },
        CONTRACTS,
    )


STREAM_CONTRACTS = {
    "events": "incident_events",
    "incident_changes": "incidents",
    "follow_up_changes": "follow_ups",
    "update_changes": "incident_updates",
}
"""What the sources of a workspace's stream bring."""


def stream_registry_of(
    *workspaces: str, entities: Iterable[str] = STREAM_CONTRACTS, stream_cron: str = "*/5 * * * *", **changes: Any
) -> Registry:
    """Workspaces that are polled hourly and whose spooled events are read every five minutes."""
    of_pair = ("slug", "secret", "settings", "instance", "entity")
    defaults = {name: value for name, value in source_block("any", **changes).items() if name not in of_pair}
    stream = {"family": "incident_io_events", "pipeline": "ops_incidents_stream", "cursor": "existence"}
    read = {
        entity: {**stream, "slug": entity[0] + entity[-3:], "contract": STREAM_CONTRACTS[entity]} for entity in entities
    }
    blocks = {w: source_block(w) for w in workspaces}
    return parse_registry(
        {
            "pipelines.yaml": {
                "pipelines": {
                    "ops_incidents": pipeline_block(),
                    "ops_incidents_stream": pipeline_block(cron=stream_cron, deadline_minutes=15),
                }
            },
            "incident_io.yaml": {
                "family": "incident_io",
                "defaults": defaults,
                "entities": {"incidents": {"slug": "inc"}, **read},
                "instances": {
                    w: {"slug": w, "secret": block["secret"], "settings": block["settings"]}
                    for w, block in blocks.items()
                },
            },
        },
        CONTRACTS,
    )


def source_name(workspace: str) -> str:
    """The registry's name of a workspace's incidents."""
    return f"incident_io_{workspace}_incidents"


class DbtInMemory:
    """Builds the marts by copying the table; `outcomes` may make builds fail or lose their process."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.plans: list[BuildPlan] = []
        self.built: list[str] = []
        """Digest by digest, in the order of successful builds."""
        self.marts: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.fail_next = 0
        self.freshness = Freshness()
        self.while_building: Callable[[], None] | None = None

    def build(self, plan: BuildPlan, keep: Callable[[], None]) -> BuildReport:
        """See Dbt."""
        world = self._world
        self.plans.append(plan)
        world.faults.raise_before("build", plan.run_id)
        pending = [str(d.value["digest"]) for d in world.documents.under(layout.REQUESTS)]
        rows = dict(world.table)
        if self.while_building is not None:
            act, self.while_building = self.while_building, None
            act()
        keep()
        if self.fail_next:
            self.fail_next -= 1
            return BuildReport(False, self.freshness, {"error": 1}, ("model.fct",))
        self.marts = rows
        self.built += pending
        world.faults.raise_after("build", plan.run_id)
        return BuildReport(True, self.freshness, {"success": 1})


class World:
    """The platform and what surrounds it. Deliveries are made by calling; whatever they cause waits in the fakes."""

    def __init__(
        self,
        *workspaces: str,
        now: datetime,
        soft_deadline_seconds: float = 420,
        registry: Registry | None = None,
    ) -> None:
        self.faults = Faults()
        self.clock = MemoryClock(now)
        self.registry = registry or registry_of(*workspaces)
        self.workspaces = {name: Workspace(name, f"key-of-{name}") for name in workspaces}
        self.vendor = IncidentIoInMemory(self.clock, *self.workspaces.values())
        self.cloud = MemoryCloud(self.faults, self.clock)
        self.landing, self.quarantine = self.cloud.bucket(LANDING), self.cloud.bucket(QUARANTINE)
        self.state, self.spool = self.cloud.bucket(STATE), self.cloud.bucket(SPOOL)
        self._tokens = itertools.count(1)
        self.documents = Documents(self.state, self.new_token)
        self.http = MemoryHttp(self.vendor.answer)
        self.secrets = MemorySecrets({f"incident-io-{w.identity}": w.key for w in self.workspaces.values()})
        self.publisher = MemoryPublisher(self.faults)
        self.subscriber = MemorySubscriber(self.faults)
        self.jobs = MemoryJobs(self.faults)
        self.warehouse = MemoryWarehouse(self.landing, self.faults)
        self.dbt = DbtInMemory(self)
        self.families: Mapping[str, Family] = FAMILIES
        self.soft_deadline_seconds = soft_deadline_seconds

    def new_token(self) -> str:
        """A token never given before."""
        return f"token-{next(self._tokens):06d}"

    @property
    def closing(self) -> ClosingPorts:
        """What closing windows needs."""
        return ClosingPorts(self.documents, self.clock, self.jobs, "dbt", self.spool)

    @property
    def extract_ports(self) -> ExtractPorts:
        """What extracting needs; made anew, as a new instance would."""
        return ExtractPorts(
            registry=self.registry,
            families=self.families,
            landing=self.landing,
            quarantine=self.quarantine,
            spool=self.spool,
            documents=self.documents,
            http=self.http,
            secrets=self.secrets,
            publisher=self.publisher,
            clock=self.clock,
            new_token=self.new_token,
            soft_deadline_seconds=self.soft_deadline_seconds,
        )

    @property
    def load_ports(self) -> LoadPorts:
        """What loading needs."""
        return LoadPorts(
            self.registry,
            self.landing,
            self.quarantine,
            self.warehouse,
            self.clock,
            self.new_token,
            self.closing,
        )

    @property
    def transform_ports(self) -> TransformPorts:
        """What the dbt job needs."""
        return TransformPorts(self.registry, self.documents, self.warehouse, self.dbt, self.clock, self.new_token)

    @property
    def sweep_ports(self) -> SweepPorts:
        """What sweeping needs."""
        return SweepPorts(self.registry, self.landing, self.quarantine, self.publisher, self.closing, self.subscriber)

    def tick(self, workspace: str, **attributes: str) -> ExtractSummary:
        """Deliver a message of the source's topic, published now."""
        return self.extract({"source": source_name(workspace), **attributes}, self.clock.now())

    def extract(self, attributes: Mapping[str, str], published_at: datetime) -> ExtractSummary:
        """What the extract function does with a message."""
        asked = ExtractMessage.parse(attributes)
        if asked.not_before is not None and self.clock.now() < asked.not_before:
            raise NotYet(f"not before {asked.not_before}")
        source = self.registry.source(asked.source)
        pipeline = self.registry.pipeline_of(source)
        window = (
            Window.from_interval(pipeline.name, asked.interval)
            if asked.interval
            else window_at(pipeline.name, pipeline.cron, published_at)
        )
        summary = extract_window(
            self.extract_ports, source, window, revision=asked.revision, part=asked.part, run_id=self.new_token()
        )
        assert summary.records.unaccounted == 0 or self.families is not FAMILIES
        return summary

    def receive(self, workspace: str, webhook_id: str, event_type: str, payload: object = None, **raw: bytes) -> None:
        """Spool an event as the webhook does; `body` replaces the bytes."""
        event = SpooledEvent(workspace, webhook_id, event_type, self.clock.now())
        body = raw.get("body", json.dumps({"event_type": event_type, event_type: payload}).encode())
        self.spool.create(event.object_name, body, owner=self.new_token(), metadata=event.to_mapping())

    def window(self, pipeline: str, hour: float | None = None) -> Window:
        """The pipeline's window as of an hour of the day, or of now."""
        now = self.clock.now() if hour is None else at(hour)
        return window_at(pipeline, self.registry.pipelines[pipeline].cron, now)

    def stream(self, workspace: str) -> list[str]:
        """The names of the sources of a workspace's stream."""
        of_stream = self.registry.enabled("ops_incidents_stream")
        return [source.name for source in of_stream if source.instance == workspace]

    def drain(self, *workspaces: str) -> None:
        """A quiet window of the stream from tick to closing."""
        for workspace in workspaces or tuple(self.workspaces):
            for source in self.stream(workspace):
                self.extract_source(source)
        self.load_all()

    def continuations(self) -> list[dict[str, str]]:
        """Takes the messages that extractions published for themselves."""
        taken = [attributes for topic, attributes in self.publisher.messages if topic.startswith("extract-")]
        self.publisher.messages = [m for m in self.publisher.messages if not m[0].startswith("extract-")]
        return taken

    def extract_all(self, workspace: str, **attributes: str) -> int:
        """Extract a window with all its continuations; the number of invocations."""
        return self.extract_source(source_name(workspace), **attributes)

    def extract_source(self, source: str, **attributes: str) -> int:
        """As extract_all, of any source."""
        count, pending = 0, [{"source": source, **attributes}]
        while pending:
            message = pending.pop()
            if "not_before" in message:
                self.clock.move_to(ExtractMessage.parse(message).not_before or self.clock.now())
            self.extract(message, self.clock.now())
            pending += self.continuations()
            count += 1
        return count

    def landed(self) -> list[StoredObject]:
        """The objects of the landing bucket."""
        return list(self.landing.list(""))

    def notification(self, stored: StoredObject, **changes: Any) -> LandedMessage:
        """The notification of a landed object."""
        return replace(
            LandedMessage(LANDING, stored.name, stored.generation, stored.crc32c, dict(stored.metadata)), **changes
        )

    def load(self, message: LandedMessage) -> LoadSummary:
        """What the load function does with a notification."""
        return load_object(self.load_ports, message, run_id=self.new_token())

    def load_all(self) -> None:
        """Deliver every landed object's notification, by name."""
        for stored in self.landed():
            self.load(self.notification(stored))

    def load_message(self, attributes: Mapping[str, str], body: bytes) -> LoadSummary:
        """What the load function does with a Pub/Sub message."""
        return self.load(LandedMessage.parse(Message("1", self.clock.now(), attributes, body)))

    def job(self, *, full_refresh: bool = False) -> int:
        """One execution of the dbt job."""
        return build_pending(self.transform_ports, full_refresh=full_refresh)

    def sweep(self) -> SweepSummary:
        """One round of the sweep."""
        return sweep(self.sweep_ports)

    def hour(self, *workspaces: str) -> None:
        """A quiet window from tick to marts."""
        for workspace in workspaces or tuple(self.workspaces):
            self.extract_all(workspace)
        self.load_all()
        self.job()

    @property
    def table(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The RAW table's rows by key."""
        return self.warehouse.tables[TABLE]

    def ids(self) -> set[str]:
        """Ids of the incidents in the RAW table."""
        return {str(key[1]) for key in self.table}

    def names(self, prefix: str) -> list[str]:
        """Objects of the state bucket under a prefix."""
        return list(self.documents.names(prefix))

    def value(self, name: str) -> dict[str, Any]:
        """A document of the state bucket, which must be there."""
        document = self.documents.get(name)
        assert document is not None, f"no {name}"
        return dict(document.value)

    def quarantined(self) -> list[dict[str, Any]]:
        """The rejected records in quarantine."""
        return [
            json.loads(line)
            for stored in self.quarantine.list("records/")
            if (found := self.quarantine.read(stored.name)) is not None
            for line in found[0].splitlines()
        ]


def at(hour: float, day: int = 20) -> datetime:
    """An instant of November 2026."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=hour)
