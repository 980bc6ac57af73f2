"""Sources against their doubles: the real HTTP client, the real use cases, everything else in memory."""

import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pyarrow.parquet as pq

from local.sources.coinmarketcap.mounted import coinmarketcap_family
from local.sources.github.mounted import github_family
from local.sources.incident_io.archive import ArchiveIncident
from local.sources.incident_io.mounted import incident_io_family
from local.sources.kit.clock import ShownClock
from local.sources.kit.family import Surroundings
from local.sources.kit.serve import running
from local.sources.kit.server import DoublesServer, fault_board
from local.sources.shop.mounted import shop_family
from local.sources.slo.mounted import slo_families
from shared import logs
from shared.adapters.http import PooledHttp
from shared.adapters.memory import MemoryClock, MemoryCloud, MemoryJobs, MemorySecrets
from shared.adapters.memory_pubsub import MemoryPublisher
from shared.adapters.memory_warehouse import MemoryWarehouse
from shared.contracts import CONTRACTS
from shared.extract.run import ExtractPorts, extract_window
from shared.extract.summary import ExtractSummary
from shared.landing import PartMetadata
from shared.load.run import LoadPorts, load_object
from shared.messages import ExtractMessage, LandedMessage
from shared.ports import HttpRequest, HttpResponse
from shared.registry import Registry, registry
from shared.sources.families import FAMILIES
from shared.state.documents import Documents
from shared.windows.closing import ClosingPorts
from shared.windows.schedule import window_at
from shared.windows.window import Window

SEED = 7
START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the doubles' worlds begin."""
_WORKSPACES = tuple(f"incident-io-company{x}" for x in "abc")
_KEYS = {
    reference: f"key-of-{reference}"
    for reference in ("oebot", "vantage", "shop", "github", "coinmarketcap", *_WORKSPACES)
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Doubles:
    """The served doubles: their address, and the clock that they show."""

    root: str
    clock: ShownClock

    def arm(self, *rules: Mapping[str, Any]) -> None:
        """Replace the faults; fails the test when they can meet nothing."""
        response = httpx.put(f"{self.root}/_double/faults", json=list(rules))
        assert response.status_code == 200, response.text


@contextmanager
def doubles(now: datetime, archived: Sequence[ArchiveIncident] = ()) -> Iterator[Doubles]:
    """Serve all of them, without quotas; `archived` are the incidents of incident.io."""
    families = (
        incident_io_family(archived),
        *slo_families((), START),
        shop_family(START),
        github_family(START),
        coinmarketcap_family(START),
    )
    clock = ShownClock(now)
    surroundings = Surroundings(clock, fault_board(families), _KEYS, SEED, rate_limited=False)
    with running(DoublesServer.open(families, surroundings)) as root:
        yield Doubles(root, clock)


@dataclass
class Slow:
    """An HTTP client that takes its time, by the platform's clock, counts, and may tamper with what comes of a path."""

    clock: MemoryClock
    seconds: float = 0.0
    requests: list[HttpRequest] = field(default_factory=list)
    tampering: Mapping[str, Callable[[HttpRequest, HttpResponse], HttpResponse]] = field(default_factory=dict)
    _client: PooledHttp = field(default_factory=PooledHttp)

    def send(self, request: HttpRequest, *, timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """See Http."""
        self.requests.append(request)
        self.clock.sleep(self.seconds)
        response = self._client.send(request, timeout_seconds=timeout_seconds, max_bytes=max_bytes)
        for path, tamper in self.tampering.items():
            if request.url.endswith(path):
                response = tamper(request, response)
        return response


class Reading:
    """The platform before some doubles; `changes` apply to every source's registry block, `cron` to every pipeline."""

    def __init__(self, served: Doubles, *, cron: str | None = None, **changes: Any) -> None:
        self.served = served
        shipped = registry()
        pipelines = shipped.pipelines
        if cron is not None:
            pipelines = {name: pipeline.model_copy(update={"cron": cron}) for name, pipeline in pipelines.items()}
        sources = {name: source.model_copy(update=changes) for name, source in shipped.sources.items()}
        self.registry = Registry(pipelines, sources)
        self.clock = MemoryClock(served.clock.now)
        self.http = Slow(self.clock)
        self.cloud = MemoryCloud(clock=self.clock)
        self.landing, self.quarantine = self.cloud.bucket("landing"), self.cloud.bucket("quarantine")
        self.spool = self.cloud.bucket("spool")
        self._tokens = itertools.count()
        self.documents = Documents(self.cloud.bucket("state"), self._token)
        self.publisher = MemoryPublisher()
        self.warehouse = MemoryWarehouse(self.landing)
        self.invocations = 0

    def window(self, source: str, at: datetime) -> Window:
        """The window of the source's pipeline that ends at or before an instant."""
        pipeline = self.registry.pipeline_of(self.registry.source(source))
        return window_at(pipeline.name, pipeline.cron, at)

    def read(self, source: str, at: datetime, *, load: bool = True) -> ExtractSummary:
        """Extract the source's window as of an instant, with all continuations, and load what landed."""
        self.served.clock.now = at
        self.clock.move_to(at)
        window = self.window(source, at)
        before = {stored.name for stored in self.landing.list("")}
        summary = self._extract(source, window, 0)
        while self.publisher.messages:
            _, attributes = self.publisher.messages.pop()
            message = ExtractMessage.parse(attributes)
            self.clock.move_to(max(self.clock.now(), message.not_before or self.clock.now()))
            again = self._extract(source, window, message.part)
            summary.rows, summary.rejected = summary.rows + again.rows, summary.rejected + again.rejected
        for stored in [stored for stored in self.landing.list("") if load and stored.name not in before]:
            self.load(stored.name)
        return summary

    def load(self, name: str) -> None:
        """Deliver the notification of a landed object."""
        stored = self.landing.stat(name)
        assert stored is not None
        closing = ClosingPorts(self.documents, self.clock, MemoryJobs(), "dbt", self.spool)
        ports = LoadPorts(
            self.registry, self.landing, self.quarantine, self.warehouse, self.clock, self._token, closing
        )
        with _quiet():
            message = LandedMessage("landing", name, stored.generation, stored.crc32c, dict(stored.metadata))
            load_object(ports, message, run_id=self._token())

    def rows(self, source: str, *, live: bool = True) -> list[Row]:
        """The source's rows in its RAW table: those that are there, or those that are gone."""
        table = self.warehouse.tables[CONTRACTS[self.registry.source(source).contract].table]
        return [row for row in table.values() if row["_source"] == source and row["_is_deleted"] is not live]

    def parts(self, source: str) -> list[PartMetadata]:
        """What the source's landing objects say of themselves, in order."""
        found = self.landing.list(f"landing/{source}/")
        return [PartMetadata.from_mapping(stored.name, stored.metadata) for stored in found]

    def landed_rows(self, source: str) -> list[Row]:
        """Every row that landed, before any merge."""
        rows = []
        for stored in self.landing.list(f"landing/{source}/"):
            found = self.landing.read(stored.name)
            assert found is not None
            read = pq.read_table(io.BytesIO(found[0])).to_pylist()
            rows += [{name.lower(): value for name, value in row.items()} for row in read]
        return rows

    def quarantined(self) -> list[Row]:
        """The rejected records."""
        return [
            json.loads(line)
            for stored in self.quarantine.list("records/")
            if (found := self.quarantine.read(stored.name)) is not None
            for line in found[0].splitlines()
        ]

    def _extract(self, source: str, window: Window, part: int) -> ExtractSummary:
        ports = ExtractPorts(
            registry=self.registry,
            families=FAMILIES,
            landing=self.landing,
            quarantine=self.quarantine,
            spool=self.spool,
            documents=self.documents,
            http=self.http,
            secrets=MemorySecrets(_KEYS),
            publisher=self.publisher,
            clock=self.clock,
            new_token=self._token,
            base_urls={family: f"{self.served.root}/{family}" for family in FAMILIES},
        )
        self.invocations += 1
        with _quiet():
            summary = extract_window(
                ports, self.registry.source(source), window, revision=0, part=part, run_id=self._token()
            )
        assert summary.records.unaccounted == 0
        return summary

    def _token(self) -> str:
        return f"token-{next(self._tokens):06d}"


@contextmanager
def _quiet() -> Iterator[None]:
    # what the platform logs of thousands of requests would hide what pytest has to say
    with logs.captured(io.StringIO()):
        yield
