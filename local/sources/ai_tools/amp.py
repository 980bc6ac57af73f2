"""Amp's workspace analytics: client credentials, then the last N days in one answer (docs/sources/amp.md)."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote

from local.sources.ai_tools import digests
from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.tool_vendor import ToolVendor, bearer, same_secret
from local.sources.ai_tools.world import days_between, first_day_of
from local.sources.kit.family import Surroundings
from local.sources.kit.faults import ListPaths
from local.sources.kit.token_bucket import Quota
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal

_TOKEN, _DAILY = "/oauth2/token", "/api/v2/workspace/analytics/daily-usage"
_LOOKBACK, _LOOKBACK_MOST = 30, 365
_LIVES_SECONDS = 3600
CLIENT_ID = "opp-reporting"
"""Not a secret: the client that the tool's secret belongs to."""
SCOPE_ANALYTICS = "amp.api:workspace.analytics:view"
SCOPE_MEMBERS = "amp.api:workspace.members:view"
SCOPES = frozenset(
    {SCOPE_ANALYTICS, SCOPE_MEMBERS, "amp.api:workspace.threads.meta:view", "amp.api:workspace.threads.contents:view"}
)


@dataclass(frozen=True, slots=True)
class _Grant:
    expires_at: float
    scopes: frozenset[str]


class Amp(ToolVendor):
    """Figures of some days change once, long after the day. E-mail addresses need a scope of their own."""

    tool = "amp"
    lists = ListPaths(records=(_DAILY,))
    quota = Quota.a_minute(60)

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._grants: dict[str, _Grant] = {}
        self._numbers = count(1)

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """The token endpoint, which the vendor has on a host of its own, and the report."""
        return {("POST", _TOKEN): self._token, ("GET", _DAILY): self._daily}

    def presented_key(self, asked: Asked) -> str | None:
        """Not asked for: tokens are short-lived, and the secret is for the token endpoint only."""
        return bearer(asked)

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{"error": message}`."""
        return Refusal(status, {"error": message}, headers)

    def account_of(self, asked: Asked) -> str:
        """By the client's secret at the token endpoint, else by a token that still holds. Raises Refusal (401)."""
        if asked.path == _TOKEN:
            client, secret = _client(asked)
            if client != CLIENT_ID or not same_secret(secret, self.key):
                raise self.refusal(401, "invalid_client", {"WWW-Authenticate": "Basic"})
        elif self._grant(asked) is None:
            raise self.refusal(401, "Unauthorized")
        return self.reference()

    def _grant(self, asked: Asked) -> _Grant | None:
        grant = self._grants.get(bearer(asked) or "")
        return grant if grant is not None and self.surroundings.wall_clock() < grant.expires_at else None

    def _token(self, asked: Asked) -> Answer:
        form = _form(asked)
        if form.get("grant_type") != "client_credentials":
            raise self.refusal(400, "unsupported_grant_type")
        scopes = frozenset(form.get("scope", "").split())
        if not scopes or not scopes <= SCOPES:
            raise self.refusal(400, "invalid_scope")
        # the time keeps a restarted double from giving out, and so taking, a token of its former life
        now = self.surroundings.wall_clock()
        token = "amp_" + digests.hexadecimal(self.key, now, next(self._numbers))[:40]
        self._grants[token] = _Grant(now + _LIVES_SECONDS, scopes)
        content = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": _LIVES_SECONDS,
            "scope": " ".join(sorted(scopes)),
        }
        return Answer(content, {"Cache-Control": "no-store"})

    def _daily(self, asked: Asked) -> Answer:
        grant = self._grant(asked)
        if grant is None or SCOPE_ANALYTICS not in grant.scopes:
            raise self.refusal(403, f"requires scope {SCOPE_ANALYTICS}")
        lookback = self.whole_parameter(asked, "lookbackDays", _LOOKBACK, _LOOKBACK_MOST)
        today = self.now.date()
        first = today - timedelta(days=lookback - 1)
        seen = {
            day: self.world.seen("amp", day, self.now) for day in days_between(max(first, first_day_of("amp")), today)
        }
        rows = [self._day(day, calls, emails=SCOPE_MEMBERS in grant.scopes) for day, calls in seen.items() if calls]
        everything = [call for calls in seen.values() for call in calls]
        metadata = {
            "startDate": first.isoformat(),
            "endDate": today.isoformat(),
            "activeUsers": len({self.world.actor(call, "amp") for call in everything}),
            "totalUsers": sum(engineer.employed(today) for engineer in self.world.staff),
            "totalUsage": _usage(everything),
        }
        return Answer({"metadata": metadata, "data": asked.records(rows)})

    def _day(self, day: date, calls: Sequence[Call], *, emails: bool) -> dict[str, Any]:
        by_actor: dict[str, list[Call]] = defaultdict(list)
        for call in calls:
            by_actor[self.world.actor(call, "amp")].append(call)
        users = [self._user(by_actor[actor], emails=emails) for actor in sorted(by_actor)]
        return {"date": day.isoformat(), "users": users}

    def _user(self, calls: Sequence[Call], *, emails: bool) -> dict[str, Any]:
        user: dict[str, Any] = {}
        if calls[0].engineer is not None:
            account = self.world.account(calls[0].engineer, "amp")
            user["id"] = account.user_id
            if emails and account.email is not None:
                user["email"] = account.email
        by_model: dict[str, list[Call]] = defaultdict(list)
        for call in calls:
            by_model[call.model].append(call)
        metrics = {
            "linesAdded": sum(call.lines_added for call in calls),
            "linesDeleted": sum(call.lines_removed for call in calls),
            "linesModified": sum(min(call.lines_added, call.lines_removed) for call in calls),
            "usage": _usage(calls),
        }
        return {"user": user, "metrics": metrics, "models": {m: _of_model(by_model[m]) for m in sorted(by_model)}}


def _of_model(calls: Sequence[Call]) -> dict[str, Any]:
    tokens = {
        "inputTokens": sum(call.uncached_input for call in calls),
        "outputTokens": sum(call.output for call in calls),
        "cacheReadInputTokens": sum(call.cache_read for call in calls),
        "cacheCreationInputTokens": sum(call.cache_write for call in calls),
    }
    return {"requests": len(calls), **tokens, "totalTokens": sum(tokens.values()), "usage": _usage(calls)}


def _usage(calls: Sequence[Call]) -> float:
    return float(sum((call.cost for call in calls), Decimal(0)))


def _form(asked: Asked) -> dict[str, str]:
    try:
        parsed = parse_qs(asked.body.decode("ascii"))
    except UnicodeDecodeError:
        return {}
    return {name: values[-1] for name, values in parsed.items()}


def _client(asked: Asked) -> tuple[str, str]:
    """Client id and secret, from Basic authentication or from the form."""
    scheme, _, text = asked.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote(client), unquote(secret)
    form = _form(asked)
    return form.get("client_id", ""), form.get("client_secret", "")
