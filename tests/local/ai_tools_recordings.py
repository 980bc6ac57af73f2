"""The recorded answers under tests/fixtures: which request each one answers, and how they are made again.

`python -m tests.local.ai_tools_recordings` writes them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from local.sources.ai_tools.chatgpt import WORKSPACE_ID
from local.sources.ai_tools.copilot import ORGANIZATION
from local.sources.ai_tools.mounted import ai_tool_families
from local.sources.kit.clock import ShownClock
from local.sources.kit.family import Surroundings
from local.sources.kit.serve import running
from local.sources.kit.server import DoublesServer, fault_board
from tests.local import ai_tools_contracts as contracts
from tests.local.ai_tools_readers import KEYS, amp_token, key

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOW = datetime(2026, 6, 4, 14, 30, tzinfo=UTC)
DAY = "2026-06-01"
DAY_MS = 1_780_272_000_000
_HOST = "https://reports.example.test"
_DAY_LATER = {"startDate": DAY_MS, "endDate": DAY_MS + 86_399_999}


@dataclass(frozen=True, slots=True)
class Recording:
    """One answer on file: the request, and the type that it has."""

    file: str
    method: str
    path: str
    contract: Any
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    @property
    def tool(self) -> str:
        """Whose answer it is."""
        return self.path.split("/")[1]


RECORDINGS = (
    Recording(
        "g2/daily_activity.json",
        "GET",
        "/g2/user/daily/activity",
        contracts.G2Activity,
        {"start_date": DAY, "end_date": DAY, "page_size": 3},
    ),
    Recording(
        "goose/session_snapshots.json",
        "GET",
        "/goose/v1/session-snapshots",
        contracts.GooseSnapshots,
        {"day": DAY, "limit": 5},
    ),
    Recording(
        "claude_code/usage_report.json",
        "GET",
        "/claude_code/v1/organizations/usage_report/claude_code",
        contracts.ClaudeReport,
        {"starting_at": DAY, "limit": 4},
    ),
    Recording(
        "cursor/daily_usage_data.json",
        "POST",
        "/cursor/teams/daily-usage-data",
        contracts.CursorDaily,
        body=_DAY_LATER | {"page": 1, "pageSize": 5},
    ),
    Recording(
        "cursor/filtered_usage_events.json",
        "POST",
        "/cursor/teams/filtered-usage-events",
        contracts.CursorEvents,
        body=_DAY_LATER | {"page": 2, "pageSize": 6},
    ),
    Recording(
        "firebender/daily_usage_data.json",
        "POST",
        "/firebender/v2/organization/daily-usage-data",
        contracts.FirebenderDaily,
        body=_DAY_LATER,
    ),
    Recording(
        "firebender/model_requests.json",
        "POST",
        "/firebender/v2/organization/model-requests",
        contracts.FirebenderRequests,
        body=_DAY_LATER | {"limit": 4},
    ),
    Recording(
        "amp/daily_usage.json",
        "GET",
        "/amp/api/v2/workspace/analytics/daily-usage",
        contracts.AmpDaily,
        {"lookbackDays": 2},
    ),
    Recording(
        "chatgpt/codex_usage.json",
        "GET",
        f"/chatgpt/v1/analytics/codex/workspaces/{WORKSPACE_ID}/usage",
        contracts.CodexUsage,
        {"start_time": DAY_MS // 1000, "end_time": DAY_MS // 1000 + 86_400, "group_by": "day", "limit": 4},
    ),
    Recording(
        "copilot/users_1_day.json",
        "GET",
        f"/copilot/orgs/{ORGANIZATION}/copilot/metrics/reports/users-1-day",
        contracts.CopilotLinks,
        {"day": DAY},
    ),
)


@contextmanager
def doubles(
    *,
    now: datetime = NOW,
    without: frozenset[str] = frozenset(),
    rate_limited: bool = False,
    wall_clock: Callable[[], float] = lambda: 1_790_000_000.0,
) -> Iterator[httpx.Client]:
    """All tools on one server: quotas off and real time standing still, unless told otherwise."""
    families = ai_tool_families()
    surroundings = Surroundings(
        ShownClock(now),
        fault_board(families),
        KEYS,
        rate_limited=rate_limited,
        wall_clock=wall_clock,
        without_quirks=without,
    )
    with running(DoublesServer.open(families, surroundings)) as url, httpx.Client(base_url=url) as client:
        yield client


def credentials(client: httpx.Client, tool: str) -> dict[str, str]:
    """The headers that let a request in."""
    match tool:
        case "goose":
            return {"X-Collector-Token": key("goose")}
        case "claude_code":
            return {"x-api-key": key("claude_code"), "anthropic-version": "2023-06-01"}
        case "cursor":
            return {"Authorization": "Basic " + base64.b64encode(f"{key('cursor')}:".encode()).decode()}
        case "firebender":
            return {"X-API-Key": key("firebender")}
        case "amp":
            return {"Authorization": f"Bearer {amp_token(client)}"}
        case "g2" | "chatgpt" | "copilot":
            return {"Authorization": f"Bearer {key(tool)}"}
    raise AssertionError(tool)


def ask(client: httpx.Client, recording: Recording) -> httpx.Response:
    """Send the request of a recording."""
    return client.request(
        recording.method,
        recording.path,
        params=recording.query,
        json=recording.body,
        headers=credentials(client, recording.tool),
    )


def recorded(client: httpx.Client) -> Iterator[tuple[str, bytes]]:
    """Every fixture's name and content as the doubles answer now; addresses are those of an invented host."""
    for recording in RECORDINGS:
        text = ask(client, recording).text.replace(str(client.base_url).rstrip("/"), _HOST)
        yield recording.file, msgspec.json.format(text.encode(), indent=2) + b"\n"
    links = ask(client, RECORDINGS[-1]).json()["download_links"]
    yield "copilot/users_1_day.ndjson", b"".join(httpx.get(link).content for link in links)


def main() -> None:
    """Write them all."""
    with doubles() as client:
        for name, content in recorded(client):
            path = FIXTURES / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)


if __name__ == "__main__":
    main()
