"""What a double has been asked so far: what a test can assert about a client's thrift."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Stats:
    """Requests since the start, by account (`unknown` for those without a valid key)."""

    requests: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    responses: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    last_query: dict[str, str] = field(default_factory=dict)

    def count(self, account: str, path: str, status: int, query: str) -> None:
        """Count one answered request; `query` is the query string, empty for none."""
        self.requests[account][path] += 1
        self.responses[account][str(status)] += 1
        if query:
            self.last_query[account] = query

    def as_json(self) -> dict[str, Any]:
        """Counts by account and path, by account and status, the 429s, and each account's last query string."""
        return {
            "requests": {account: dict(paths) for account, paths in self.requests.items()},
            "responses": {account: dict(statuses) for account, statuses in self.responses.items()},
            "rate_limited": {account: statuses["429"] for account, statuses in self.responses.items()},
            "last_query": dict(self.last_query),
        }
