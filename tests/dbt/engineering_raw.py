"""RAW rows of pull requests, of the people who open them, and of a market's listings, for the dbt tests."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts.github_pull_requests import GITHUB_PULL_REQUESTS
from shared.contracts.github_users import GITHUB_USERS
from shared.contracts.market_listings import MARKET_LISTINGS
from shared.contracts.snowflake import delete_vanished
from shared.instants import to_text
from tests.dbt.raw import SCHEMA, load

ORGANISATION = "example-works"
_JOINED = datetime(2020, 1, 1, tzinfo=UTC)


def pull_request(
    pull_request_id: int, author: int | None, created_at: datetime, *, updated_at: datetime | None = None, **values: Any
) -> dict[str, Any]:
    """A pull request by the person of that number; None for an account that is gone."""
    return {
        "pull_request_id": pull_request_id,
        "organisation": ORGANISATION,
        "repository": "platform",
        "number": pull_request_id,
        "title": f"Change {pull_request_id}",
        "state": "open",
        "author_id": author,
        "author_login": None if author is None else login(author),
        "author_type": None if author is None else "User",
        "head_repository": f"{ORGANISATION}/platform",
        "labels": ["bug"],
        "created_at": created_at,
        "updated_at": updated_at or created_at,
        **values,
    }


def login(person: int) -> str:
    """The login of a person by number."""
    return f"Person-{person:03d}"


def load_pull_requests(cursor: Any, pull_requests: Sequence[Mapping[str, Any]], observed_at: datetime) -> None:
    """Load pull requests as a window read them at that instant."""
    rows = [_landed(row, "github_pull_requests", observed_at) for row in pull_requests]
    load(cursor, rows, ingested_at=_ingested(observed_at), contract=GITHUB_PULL_REQUESTS)


def load_people(cursor: Any, teams: Mapping[int, str], observed_at: datetime) -> None:
    """Load the whole organisation as it was read at that instant: by person the slugs of their teams, joined by commas.

    Whoever is not in it is gone.
    """
    rows: list[dict[str, Any]] = [
        {
            "organisation": ORGANISATION,
            "user_id": person,
            "login": login(person),
            "name": f"Name of {person}",
            "email": f"person-{person:03d}@example.test",
            "user_type": "User",
            "teams": [{"slug": slug, "name": slug.title()} for slug in slugs.split(",")],
            "team_slugs": slugs,
            "created_at": _JOINED,
            "updated_at": _JOINED,
        }
        for person, slugs in teams.items()
    ]
    landed = [_landed(row, "github_users", observed_at) for row in rows]
    load(cursor, landed, ingested_at=_ingested(observed_at), contract=GITHUB_USERS)
    observed, ingested = to_text(observed_at), to_text(_ingested(observed_at))
    values = [observed, ingested, landed[0]["_run_id"], "github_users", observed, ORGANISATION]
    cursor.execute(delete_vanished(GITHUB_USERS, SCHEMA, "STAGED", 1), values)


def load_snapshot(
    cursor: Any, fetched_at: datetime, prices: Mapping[int, float], max_supplies: Mapping[int, float]
) -> None:
    """Load a snapshot of the market: prices by listing, limits of units where there are any."""
    rows: list[dict[str, Any]] = [
        {
            "provider": "coinmarketcap",
            "listing_id": listing,
            "fetched_on": fetched_at.date().isoformat(),
            "fetched_at": fetched_at,
            "symbol": f"C{listing}",
            "name": f"Coin {listing}",
            "currency": "USD",
            "price": price,
            "max_supply": max_supplies.get(listing),
            "is_supply_infinite": listing not in max_supplies,
            "tags": [],
        }
        for listing, price in prices.items()
    ]
    landed = [_landed(row, "market_coinmarketcap_listings", fetched_at) for row in rows]
    load(cursor, landed, ingested_at=_ingested(fetched_at), contract=MARKET_LISTINGS)


def _ingested(observed_at: datetime) -> datetime:
    return observed_at + timedelta(minutes=5)


def _landed(row: Mapping[str, Any], source: str, observed_at: datetime) -> dict[str, Any]:
    return {
        **row,
        "payload": {"login": row.get("author_login") or row.get("login")},
        "dq_valid": True,
        "dq_flags": [],
        "_is_deleted": False,
        "_source": source,
        "_window_id": f"{observed_at:%Y%m%dT%H%MZ}",
        "_source_file": "landing/part-00000.parquet",
        "_run_id": f"run {to_text(observed_at)}",
        "_observed_at": observed_at,
    }
