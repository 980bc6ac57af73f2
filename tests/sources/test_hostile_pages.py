"""What comes of pages that no vendor should send, source by source: rejected, refused, or waited for; never a guess."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import AuthenticationFailed, PaginationLoop, PipelineError, RequestRefused, SourceUnavailable
from shared.ports import HttpRequest, HttpResponse
from tests.sources.reading import Doubles, Reading, doubles

NOW = datetime(2026, 3, 15, 12, 31, tzinfo=UTC)
_SHOP, _ORG = "/admin/api/2026-07", "/orgs/example-works"

LISTS: Mapping[str, tuple[str, str, str]] = {
    "oebot objectives": ("slo_oebot_objectives", "oebot", "/api/v1/objectives"),
    "oebot measurements": ("slo_oebot_measurements", "oebot", "/api/v1/objectives/obj_0001/measurements"),
    "vantage slos": ("slo_vantage_objectives", "vantage", "/v2/slos"),
    "vantage windows": ("slo_vantage_measurements", "vantage", "/v2/slo_windows/query"),
    "orders": ("ecommerce_orders", "shop", f"{_SHOP}/orders.json"),
    "order items": ("ecommerce_order_items", "shop", f"{_SHOP}/orders.json"),
    "customers": ("ecommerce_customers", "shop", f"{_SHOP}/customers.json"),
    "products": ("ecommerce_products", "shop", f"{_SHOP}/products.json"),
    "inventory items": ("ecommerce_products", "shop", f"{_SHOP}/inventory_items.json"),
    "deletions": ("ecommerce_products", "shop", f"{_SHOP}/events.json"),
    "pull requests": ("github_pull_requests", "github", "/repos/example-works/platform/pulls"),
    "teams": ("github_users", "github", f"{_ORG}/teams"),
    "members": ("github_users", "github", f"{_ORG}/teams/platform/members"),
    "listings": ("market_coinmarketcap_listings", "coinmarketcap", "/v1/cryptocurrency/listings/latest"),
}
each_list = pytest.mark.parametrize("name", LISTS)


@pytest.fixture(scope="module")
def served() -> Iterator[Doubles]:
    with doubles(NOW) as found:
        yield found


@pytest.fixture
def reading(served: Doubles) -> Iterator[Reading]:
    # a short history: what is asked here is what comes of a page, not of many
    yield Reading(served, history_from="2026-03-01T00:00:00Z", page_size=20)
    served.arm()


def _read(reading: Reading, name: str, at: datetime = NOW, **rule: Any) -> PipelineError | None:
    """Read while a rule acts: for good, unless it says how often."""
    source, family, path = LISTS[name]
    reading.served.arm({"family": family, "path": path, "always": "times" not in rule, **rule})
    try:
        reading.read(source, at)
    except PipelineError as exc:
        return exc
    return None


CURSOR_LOOPS: Mapping[str, type[PipelineError]] = {
    # as many items as fit on a page are asked for, so a second page is no answer
    "inventory items": SourceUnavailable,
}


@each_list
def test_a_cursor_loop_ends(reading: Reading, name: str) -> None:
    """As a permanent error: asking again would go round again."""
    outcome = _read(reading, name, action="loop_cursor")
    assert type(outcome) is CURSOR_LOOPS.get(name, PaginationLoop)


EMPTY_PAGES: Mapping[str, type[PipelineError]] = {
    "inventory items": SourceUnavailable,
    # a market is never empty
    "listings": SourceUnavailable,
}


@each_list
def test_empty_pages_that_each_name_a_next_one_end(reading: Reading, name: str) -> None:
    """Ten in a row lead nowhere."""
    outcome = _read(reading, name, action="empty_page_with_cursor")
    assert type(outcome) is EMPTY_PAGES.get(name, PaginationLoop)


@pytest.mark.parametrize("name", [name for name in LISTS if name not in EMPTY_PAGES])
def test_one_empty_page_hides_nothing_of_the_list(reading: Reading, name: str) -> None:
    """The list goes on behind it."""
    source = LISTS[name][0]
    whole = _whole(reading, source)
    assert _read(reading, name, action="empty_page_with_cursor", times=1) is None
    assert len(reading.rows(source)) == len(whole.rows(source)) > 0


def _whole(reading: Reading, source: str) -> Reading:
    other = Reading(reading.served, history_from="2026-03-01T00:00:00Z", page_size=20)
    other.served.arm()
    other.read(source, NOW)
    return other


STRUCTURAL = ("teams", "members")
"""Lists that the meaning of other records hangs on: one that cannot be read stops the reading."""


@each_list
def test_a_record_without_its_fields_costs_only_itself(reading: Reading, name: str) -> None:
    """It is in quarantine whole, with the reason, and all others are loaded."""
    source = LISTS[name][0]
    other = _whole(reading, source)
    keys = ("id", "slo_id", "hour", "start_ms", "login", "slug", "subject_id")
    gone = {key: {"$absent": True} for key in keys}
    outcome = _read(reading, name, action="corrupt_record", index=0, record={**gone, "surprise": "x"}, times=1)
    if name in STRUCTURAL:
        # its page was asked for again, and was whole
        assert outcome is None
        assert reading.quarantined() == []
        assert len(reading.rows(source)) == len(other.rows(source))
        return
    assert outcome is None
    rejected = reading.quarantined()
    # products are rejected with a variant each where their inventory item cannot be read
    assert len(rejected) == (2 if name == "inventory items" else 1), rejected
    assert {row["reason"] for row in rejected} <= {"wrong_type", "no_inventory_item"}
    lost = len(other.rows(source)) - len(reading.rows(source))
    assert 0 <= lost <= (5 if name in {"products", "order items"} else 1)


@pytest.mark.parametrize("name", STRUCTURAL)
def test_a_team_or_member_that_stays_unreadable_stops_the_reading(reading: Reading, name: str) -> None:
    """To go on without it would let people seem to have left."""
    reading.read("github_users", NOW)
    people = len(reading.rows("github_users"))
    gone = {"login": {"$absent": True}, "slug": {"$absent": True}}
    outcome = _read(reading, name, NOW + timedelta(days=1), action="corrupt_record", index=0, record=gone)
    assert type(outcome) is SourceUnavailable
    assert len(reading.rows("github_users")) == people


@each_list
@pytest.mark.parametrize("action", ["html", "cut_body"])
def test_a_body_that_is_no_page_is_asked_for_again(reading: Reading, name: str, action: str) -> None:
    """Once: nothing is lost. For good: a transient error, so the message comes again."""
    source = LISTS[name][0]
    assert _read(reading, name, action=action, times=1) is None
    held = len(reading.rows(source))
    assert reading.quarantined() == []
    outcome = _read(reading, name, NOW + timedelta(days=1), action=action)
    assert type(outcome) is SourceUnavailable
    assert len(reading.rows(source)) == held


@each_list
def test_a_limit_is_waited_for(reading: Reading, name: str) -> None:
    """A 429 with a wait uses up no attempt."""
    assert _read(reading, name, action="status", status=429, retry_after="60", times=7) is None
    assert reading.clock.now() - NOW >= timedelta(seconds=420)
    assert reading.rows(LISTS[name][0])


def test_githubs_secondary_limit_is_a_403_with_a_wait(reading: Reading) -> None:
    """And no refused key."""
    assert _read(reading, "pull requests", action="status", status=403, retry_after="60", times=3) is None
    assert reading.rows("github_pull_requests")


@each_list
def test_a_key_that_is_refused_is_a_permanent_error(reading: Reading, name: str) -> None:
    """Also after it was fetched again; the message names the secret and not the key."""
    outcome = _read(reading, name, action="status", status=401)
    assert type(outcome) is AuthenticationFailed
    assert "key-of-" not in str(outcome)


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ({"status": 200}, SourceUnavailable),
        ({"status": 500}, SourceUnavailable),
        ({"status": 429, "retry_after": "7200"}, RequestRefused),
        ({"status": 429, "retry_after": "200000"}, RequestRefused),
        ({"status": 400}, RequestRefused),
        ({"status": 401}, AuthenticationFailed),
    ],
    ids=["an error under HTTP 200", "a fault", "credits of the day", "credits of the month", "parameter", "key"],
)
def test_coinmarketcaps_errors_are_told_by_the_body(
    reading: Reading, rule: Mapping[str, Any], outcome: type[PipelineError]
) -> None:
    """To wait for credits of tomorrow or of next month is of no use: this snapshot is lost."""
    assert type(_read(reading, "listings", action="status", **rule)) is outcome
    assert reading.rows("market_coinmarketcap_listings") == []


def test_a_rejected_profile_takes_nobody_for_gone(reading: Reading) -> None:
    """Not the person themselves, nor others who left meanwhile: that is for a whole reading to say."""
    reading.read("github_users", NOW)
    people = {row["login"] for row in reading.rows("github_users")}
    broken = min(people)

    def without_id(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        body = json.loads(response.body)
        return replace(response, body=json.dumps({**body, "id": "x"}).encode())

    reading.http.tampering = {f"/users/{broken}": without_id}
    reading.read("github_users", NOW + timedelta(days=150))
    assert {row["login"] for row in reading.rows("github_users")} == people
    assert [row["reason"] for row in reading.quarantined()] == ["wrong_type"]
    reading.http.tampering = {}
    reading.read("github_users", NOW + timedelta(days=151))
    left = {row["login"] for row in reading.rows("github_users", live=False)}
    assert left
    assert broken not in left
