"""The AI tools' doubles in this process, the platform over them, and what a correct platform ends up with.

Only HTTP is real. The clock is simulated, and the doubles' quotas follow it, so that a wait costs no time.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow.parquet as pq
import yaml

from local.sources.ai_tools.amp import CLIENT_ID
from local.sources.ai_tools.expected import ExpectedUse, expected_daily
from local.sources.ai_tools.mounted import ai_tool_families
from local.sources.ai_tools.tools import TOOLS, Tool
from local.sources.ai_tools.world import World as Company
from local.sources.kit.clock import ShownClock
from local.sources.kit.family import Surroundings
from local.sources.kit.faults import FaultBoard, FaultRule
from local.sources.kit.serve import running
from local.sources.kit.server import DoublesServer, fault_board
from shared.adapters.http import HttpxClient
from shared.adapters.memory import MemoryClock, MemorySecrets
from shared.adapters.memory_warehouse import MemoryWarehouse
from shared.contracts import CONTRACTS
from shared.errors import TransientError
from shared.extract.rate import RateLimit
from shared.extract.run import ExtractPorts
from shared.landing import PartMetadata
from shared.load.run import load_object
from shared.messages import ExtractMessage
from shared.ports import Clock, Http, HttpRequest, HttpResponse, StoredObject
from shared.registry.load import REGISTRY_FOLDER, Registry, parse_registry
from shared.state import layout
from shared.windows.schedule import last_instant
from shared.windows.window import Window
from tests.support.world import LANDING, World

PIPELINE = "ai_dx_metrics"
TABLE = "FACT_AI_TOOL_DAILY_METRICS"
SEED = 7
COMPANY = Company(SEED)
_KEYS = {tool.replace("_", "-"): f"key-of-{tool}" for tool in TOOLS}
_SECRETS = _KEYS | {"amp": f"{CLIENT_ID}:{_KEYS['amp']}"}

COPILOT = """
ai_telemetry_copilot_daily_metrics:
  family: copilot
  instance: copilot
  slug: ai-copilot
  base_url: https://api.github.com
  secret: copilot
  auth: { header: Authorization, scheme: Bearer }
  headers: { user-agent: operational-performance-platform/0.1 }
  page_size: 100
  requests_per_minute: 80
  availability_lag_hours: 48
  repull_days: 1
  settings:
    tool: copilot
    estimators: [{ version: "2026-01", method: per_accepted_line, tokens: 15 }]
    options: { organization: example-org }
"""
"""An eighth tool: everything that has to be written for one whose family is known."""


def tools_registry(*tools: str, **changes: Any) -> Registry:
    """The shipped blocks of these tools (all, if none is named) and Copilot's; `changes` apply to each source."""
    shipped = {path.name: yaml.safe_load(path.read_text()) for path in sorted(REGISTRY_FOLDER.glob("*.yaml"))}
    document = shipped["ai_tools.yaml"]
    blocks = {**document["sources"], **yaml.safe_load(COPILOT)}
    chosen = {name: {**block, **changes} for name, block in blocks.items() if block["family"] in (tools or TOOLS)}
    documents = {"pipelines.yaml": shipped["pipelines.yaml"], "ai_tools.yaml": {**document, "sources": chosen}}
    return parse_registry(documents, CONTRACTS)


@dataclass(frozen=True)
class Doubles:
    """The served doubles; all of them show `clock`'s instant."""

    url: str
    clock: ShownClock
    faults: FaultBoard
    server: DoublesServer

    def rate_limited(self, tool: Tool) -> int:
        """How often the tool has answered with 429."""
        return sum(self.server.doubles[tool].stats.as_json()["rate_limited"].values())

    def break_tool(self, tool: Tool, status: int = 500) -> None:
        """Answer every request with that status until `mend`."""
        self.faults.arm([FaultRule(action="status", family=tool, status=status, always=True)])

    def mend(self) -> None:
        """Behave again."""
        self.faults.clear()


@contextmanager
def doubles(clock: Clock, *, rate_limited: bool = True) -> Iterator[Doubles]:
    """Serve all eight tools; their quotas follow `clock`."""
    families = ai_tool_families()
    shown, faults = ShownClock(clock.now()), fault_board(families)
    surroundings = Surroundings(shown, faults, _KEYS, SEED, rate_limited, wall_clock=lambda: clock.now().timestamp())
    server = DoublesServer.open(families, surroundings)
    with running(server) as url:
        yield Doubles(url, shown, faults, server)


class RecordingHttp:
    """Sends, and keeps what was sent and which instant the doubles showed then."""

    def __init__(self, http: Http, clock: ShownClock) -> None:
        self._http, self._clock = http, clock
        self.requests: list[HttpRequest] = []
        self.shown_at: list[datetime] = []

    def send(self, request: HttpRequest, *, timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """See Http."""
        self.requests.append(request)
        self.shown_at.append(self._clock.now)
        return self._http.send(request, timeout_seconds=timeout_seconds, max_bytes=max_bytes)


class ToolsWorld(World):
    """The platform over the doubles."""

    def __init__(
        self, served: Doubles, registry: Registry, clock: MemoryClock, *, soft_deadline_seconds: float = 420
    ) -> None:
        super().__init__(now=clock.now(), registry=registry, soft_deadline_seconds=soft_deadline_seconds)
        self.clock = clock  # the one that the doubles' quotas follow
        self.cloud.clock = clock
        self.doubles = served
        self.sent = RecordingHttp(HttpxClient(), served.clock)
        self.tool_secrets = MemorySecrets(_SECRETS)
        self.rates: dict[tuple[str, int], RateLimit] = {}
        self._loaded = 0

    @property
    def extract_ports(self) -> ExtractPorts:
        """As deployed: a process goes on with the rate limits that it has used up."""
        url = self.doubles.url
        base_urls = {tool: f"{url}/{tool}" for tool in TOOLS} | {"amp_auth": f"{url}/amp/oauth2/token"}
        return replace(
            super().extract_ports, http=self.sent, secrets=self.tool_secrets, base_urls=base_urls, rates=self.rates
        )

    def read(self, tool: str, window: Window, *, at: datetime | None = None, **attributes: str) -> int:
        """Extract a tool's window with all its continuations; the number of invocations.

        The doubles show the instant `at`, a minute after the window's end if not given.
        """
        at = at or read_at(window)
        self.clock.move_to(max(self.clock.now(), at))
        self.doubles.clock.now = at
        pending, count = [{"source": source_of(tool), "window": window.interval, **attributes}], 0
        while pending:
            message = pending.pop()
            wait_until = ExtractMessage.parse(message).not_before
            self.clock.move_to(max(self.clock.now(), wait_until or self.clock.now()))
            self.extract(message, self.clock.now())
            pending += self.continuations()
            count += 1
        return count

    def read_all(self, window: Window) -> list[str]:
        """Every tool's window, then all loads; the tools that could not be read, each tried twice."""
        broken = []
        for tool in [source.family for source in self.registry.enabled(PIPELINE)]:
            for last_attempt in (False, True):
                try:
                    self.read(tool, window)
                    break
                except TransientError:
                    if last_attempt:
                        broken.append(tool)
        self.load_new()
        return broken

    def load_new(self) -> None:
        """Deliver the notifications of the objects that came since the last time."""
        finalised, self._loaded = self.cloud.finalised[self._loaded :], len(self.cloud.finalised)
        for bucket, stored in finalised:
            if bucket == LANDING:
                self.load(self.notification(stored))

    def load_into(self, warehouse: MemoryWarehouse, stored: StoredObject) -> None:
        """Load an object into another warehouse."""
        load_object(replace(self.load_ports, warehouse=warehouse), self.notification(stored))

    def rows(self, tool: str, *, live: bool = True) -> list[dict[str, Any]]:
        """The tool's rows in the warehouse: the live ones, or those that are gone at the tool."""
        rows = self.warehouse.tables[TABLE].values()
        return [row for row in rows if row["tool"] == tool and row["_is_deleted"] is not live]

    def parts(self, tool: str) -> list[PartMetadata]:
        """What the tool's landed parts say of themselves."""
        folder = f"landing/{source_of(tool)}/"
        return [PartMetadata.from_mapping(s.name, s.metadata) for s in self.landing.list(folder)]

    def landed_rows(self, tool: str) -> list[dict[str, Any]]:
        """Every landed row of the tool, as the Parquet files hold them."""
        found = [self.landing.read(s.name) for s in self.landing.list(f"landing/{source_of(tool)}/")]
        return [
            {name.lower(): value for name, value in row.items()}
            for content in found
            if content is not None
            for row in pq.read_table(io.BytesIO(content[0])).to_pylist()
        ]

    def range_of(self, tool: str, window: Window) -> tuple[date, date]:
        """First day of the window's frozen range, and the first day after it."""
        value = self.value(layout.extraction_range(source_of(tool), window.id, 0))
        return date.fromisoformat(value["start"][:10]), date.fromisoformat(value["end"][:10])


def source_of(tool: str) -> str:
    """The registry's name of a tool."""
    return f"ai_telemetry_{tool}_daily_metrics"


def window_of(day: date) -> Window:
    """The window that ends on that day at 14:30 UTC."""
    end = datetime.combine(day, time(14, 30), UTC)
    return Window(PIPELINE, last_instant("30 14 * * *", end - timedelta(minutes=1)), end)


def read_at(window: Window) -> datetime:
    """When the tests read a window unless they say otherwise."""
    return window.end + timedelta(minutes=1)


def days(first: date, count: int) -> list[date]:
    """Days in a row."""
    return [first + timedelta(days=n) for n in range(count)]


Key = tuple[date, str, str]
"""Day, actor, model."""

FIGURES = {
    "input_tokens": "uncached_input",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "output_tokens": "output",
    "requests": "requests",
    "accepted_lines": "accepted_lines",
    "cost_usd": "cost_usd",
    "credits": "credits",
}
"""Columns, and what they are called where the doubles say what is right."""


def told(tool: Tool, at: datetime, first: date, last: date) -> dict[Key, dict[str, Any]]:
    """The figures that the tool has told by then, by key; rows without any figure above zero are left out."""
    uses = expected_daily(COMPANY, tool, at, first, last)
    rows = {(u.day, u.actor, u.model or "all"): _expected(u) for u in uses}
    return {key: figures for key, figures in rows.items() if any(figures.values())}


def held(tool: Tool, rows: Sequence[Mapping[str, Any]]) -> dict[Key, dict[str, Any]]:
    """The same of the warehouse's rows."""
    by_key = {(r["usage_date"], r["actor"], r["model"]): _held(tool, r) for r in rows}
    return {key: figures for key, figures in by_key.items() if any(figures.values())}


def _expected(use: ExpectedUse) -> dict[str, Any]:
    figures = {column: getattr(use, name) for column, name in FIGURES.items()}
    if use.tool == "chatgpt" and not figures["accepted_lines"]:
        figures["accepted_lines"] = None  # the vendor leaves the whole block out, so nobody can know that it was zero
    return {column: _rounded(value) for column, value in figures.items()}


def _held(tool: Tool, row: Mapping[str, Any]) -> dict[str, Any]:
    figures = {column: row[column] for column in FIGURES}
    if tool == "claude_code":
        figures["requests"] = None  # the tool's own actions, which the doubles' world does not know
    return {column: _rounded(value) for column, value in figures.items()}


def _rounded(value: Any) -> Any:
    # the vendors' sums of binary fractions are off in the last of the column's six digits
    return value.quantize(Decimal("0.00001")) if isinstance(value, Decimal) else value


@dataclass(slots=True)
class Remembered:
    """What is right for one key after some windows."""

    first_window: str
    figures: dict[str, Any]
    restated: bool = False
    live: bool = True


def remembered(world: ToolsWorld, tool: Tool, windows: Sequence[Window]) -> dict[Key, Remembered]:
    """What a correct platform knows after having read the tool in these windows, from the company's calls alone."""
    rows: dict[Key, Remembered] = {}
    for window in windows:
        first, end = world.range_of(tool, window)
        now = told_then(tool, window, first, end)
        for key in [key for key in rows if first <= key[0] < end and key not in now]:
            rows[key].live = False
        for key, figures in now.items():
            there = rows.get(key)
            if there is None:
                rows[key] = Remembered(window.id, figures)
                continue
            there.restated = there.restated or there.figures != figures
            there.figures, there.live = figures, True
    return rows


@cache
def told_then(tool: Tool, window: Window, first: date, end: date) -> dict[Key, dict[str, Any]]:
    """What the tool told in a window of the days from `first` to the one before `end`."""
    return told(tool, read_at(window), first, end - timedelta(days=1))


def newest_day_asked_for(tool: Tool, request: HttpRequest) -> date | None:
    """The newest UTC day that a request names; None for one that names none."""
    query = dict(request.query)
    body: dict[str, Any] = json.loads(request.body) if request.body and request.body.startswith(b"{") else {}
    match tool:
        case "g2":
            return date.fromisoformat(query["end_date"])
        case "goose" | "copilot":
            return date.fromisoformat(query["day"]) if "day" in query else None
        case "claude_code":
            return date.fromisoformat(query["starting_at"])
        case "cursor" | "firebender":
            return datetime.fromtimestamp(body["endDate"] / 1000, UTC).date()
        case "chatgpt":
            # the end is the first instant that is not asked for
            return datetime.fromtimestamp(int(query["end_time"]) - 1, UTC).date()
        case "amp":
            return None
