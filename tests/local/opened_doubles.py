"""One double at a time on a port of its own, as the common server mounts it, and the pages recorded from each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from local.sources.coinmarketcap.mounted import coinmarketcap_family
from local.sources.github.mounted import github_family
from local.sources.kit.clock import ShownClock
from local.sources.kit.family import Family, Surroundings
from local.sources.kit.serve import running
from local.sources.kit.server import DoublesServer, fault_board
from local.sources.shop.mounted import shop_family
from local.sources.slo.mounted import slo_families

FIXTURES = Path(__file__).parents[1] / "fixtures"
START, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 15, 12, 0, tzinfo=UTC)
SEED = 7
KEY = "key-of-a-test"
HEADERS: Mapping[str, Mapping[str, str]] = {
    "oebot": {"X-OEBOT-Key": KEY},
    "vantage": {"Authorization": f"Token {KEY}"},
    "shop": {"X-Shopify-Access-Token": KEY},
    "github": {"Authorization": f"Bearer {KEY}", "Accept": "application/vnd.github+json"},
    "coinmarketcap": {"X-CMC_PRO_API_KEY": KEY},
}
FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (*slo_families((), START), shop_family(START), github_family(START), coinmarketcap_family(START))
}


@dataclass(frozen=True)
class Opened:
    """A served double: a client with its key, the clock that it shows, and its faults."""

    client: httpx.Client
    clock: ShownClock
    root: str
    wall: list[float] = field(default_factory=list)
    """The unix time that quotas go by, its only item."""

    def get(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """The JSON object at a path; fails the test unless the answer is 200."""
        response = self.client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def arm(self, *rules: dict[str, Any]) -> None:
        """Replace the faults; fails the test when they are refused."""
        response = httpx.put(f"{self.root}/_double/faults", json=list(rules))
        assert response.status_code == 200, response.text


@contextmanager
def opened(family: Family, *, now: datetime = NOW, rate_limited: bool = False, seed: int = SEED) -> Iterator[Opened]:
    """Serve a family while the test lasts."""
    wall = [1_790_000_000.0]
    clock = ShownClock(now)
    surroundings = Surroundings(
        clock=clock,
        faults=fault_board((family,)),
        keys={family.secrets[0]: KEY},
        seed=seed,
        rate_limited=rate_limited,
        wall_clock=lambda: wall[0],
    )
    headers = {"User-Agent": "contract-tests", **HEADERS[family.name]}
    server = DoublesServer.open((family,), surroundings)
    with running(server) as root, httpx.Client(base_url=f"{root}/{family.name}", headers=headers) as client:
        yield Opened(client, clock, root, wall)


@dataclass(frozen=True)
class RecordedPage:
    """A request whose answer is kept under tests/fixtures, for readers that are tested without a double."""

    family: str
    name: str
    path: str
    body: dict[str, Any] | None = None

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return FIXTURES / self.family / f"{self.name}.json"

    def answer(self, double: Opened) -> Any:
        """The answer as the double gives it now."""
        if self.body is None:
            return double.client.get(self.path).json()
        return double.client.post(self.path, json=self.body).json()


_SHOP = "/admin/api/2026-07"
_GITHUB = "/repos/example-works/storefront"
_CMC = "/v1/cryptocurrency/listings/latest"
_MORNING = "from=2026-03-15T00:00:00Z&to=2026-03-15T12:00:00Z"
_MORNING_MS = {"from_ms": 1_773_532_800_000, "to_ms": 1_773_576_000_000}
RECORDED = (
    RecordedPage("oebot", "objectives_page", "/api/v1/objectives?limit=3"),
    RecordedPage("oebot", "measurements_page", f"/api/v1/objectives/obj_0001/measurements?{_MORNING}&limit=6"),
    RecordedPage(
        "oebot", "measurements_without_traffic", f"/api/v1/objectives/obj_0009/measurements?{_MORNING}&limit=2"
    ),
    RecordedPage("vantage", "slos_page", "/v2/slos?per_page=3"),
    RecordedPage("vantage", "windows_page", "/v2/slo_windows/query", {**_MORNING_MS, "slo_ids": [4007], "page": 1}),
    RecordedPage("shop", "orders_page", f"{_SHOP}/orders.json?status=any&limit=4&updated_at_max=2026-03-01T00:00:00Z"),
    RecordedPage(
        "shop", "orders_refunded", f"{_SHOP}/orders.json?status=any&limit=1&financial_status=partially_refunded"
    ),
    RecordedPage("shop", "products_page", f"{_SHOP}/products.json?limit=2"),
    RecordedPage("shop", "customers_page", f"{_SHOP}/customers.json?limit=2"),
    RecordedPage("shop", "inventory_items_page", f"{_SHOP}/inventory_items.json?ids=43000000000001,43000000262169"),
    RecordedPage("shop", "deletions_page", f"{_SHOP}/events.json?filter=Product&verb=destroy"),
    RecordedPage("github", "pulls_page", f"{_GITHUB}/pulls?state=all&sort=updated&direction=desc&per_page=3"),
    RecordedPage("github", "user", "/users/eng001-gh"),
    RecordedPage("github", "teams_page", "/orgs/example-works/teams"),
    RecordedPage("github", "members_page", "/orgs/example-works/teams/platform/members?per_page=3"),
    RecordedPage("coinmarketcap", "listings_page", f"{_CMC}?limit=3"),
    RecordedPage("coinmarketcap", "refused", f"{_CMC}?convert=XXX"),
)


def recorded(family: str) -> list[RecordedPage]:
    """A family's pages."""
    return [page for page in RECORDED if page.family == family]


def main() -> None:
    """`python -m tests.local.opened_doubles`: record every page again."""
    for name, family in FAMILIES.items():
        with opened(family) as double:
            for page in recorded(name):
                page.file.parent.mkdir(parents=True, exist_ok=True)
                text = json.dumps(page.answer(double), indent=1, ensure_ascii=False)
                page.file.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
