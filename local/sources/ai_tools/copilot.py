"""GitHub Copilot's daily user report: links first, then files without the token (docs/sources/copilot.md)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from local.sources.ai_tools import availability, digests
from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.engineers import Engineer
from local.sources.ai_tools.tool_vendor import ToolVendor, bearer, same_secret
from local.sources.ai_tools.world import first_day_of
from local.sources.kit.faults import ListPaths
from local.sources.kit.token_bucket import Quota, TokenBucket
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal

ORGANIZATION = "example-org"
_ORGANIZATION_ID = "900100"
_REPORTS = "/orgs/{org}/copilot/metrics/reports/users-1-day"
_FILES = "/signed-reports/{name}"
_FILES_A_REPORT = 2
_LINK_SECONDS = 600
_HISTORY = timedelta(days=365)


class Copilot(ToolVendor):
    """A day's report is there whole, or not at all. The links are signed, expire, and refuse a token."""

    tool = "copilot"
    lists = ListPaths(records=(_FILES,))
    quota = Quota(5000, 5000 / 3600)

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """The links, and the files that they lead to."""
        return {("GET", _REPORTS): self._links, ("GET", _FILES): self._file}

    def presented_key(self, asked: Asked) -> str | None:
        """The organisation's token."""
        return bearer(asked)

    def account_of(self, asked: Asked) -> str:
        """By the token; a file by its link's signature. Raises Refusal."""
        if not asked.path.startswith("/signed-reports/"):
            return super().account_of(asked)
        if "authorization" in asked.headers:
            raise _storage_refusal(400, "InvalidAuthenticationInfo", "A signed link takes no Authorization header.")
        expires, signature = asked.single("se") or "", asked.single("sig") or ""
        if not same_secret(signature, self._signature(asked.path, expires)):
            raise _storage_refusal(403, "AuthenticationFailed", "Signature did not match.")
        if int(expires) < self.surroundings.wall_clock():
            raise _storage_refusal(403, "AuthenticationFailed", "Signature not valid in the specified time frame.")
        return self.reference()

    def unauthorized(self, why: str) -> Refusal:
        """As the vendor puts it."""
        return self.refusal(401, "Requires authentication" if why == "missing" else "Bad credentials")

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{"message", "documentation_url", "status"}`; `status` is a text."""
        body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
        return Refusal(status, body, headers)

    def quota_headers(self, bucket: TokenBucket) -> Mapping[str, str]:
        """The vendor's five."""
        remaining = int(bucket.tokens)
        reset = self.surroundings.wall_clock() + bucket.seconds_until(bucket.capacity)
        return {
            "x-ratelimit-limit": str(bucket.capacity),
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-used": str(bucket.capacity - remaining),
            "x-ratelimit-reset": str(math.ceil(reset)),
            "x-ratelimit-resource": "core",
        }

    def _links(self, asked: Asked) -> Answer:
        if not asked.headers.get("user-agent"):
            raise self.refusal(403, "Request forbidden by administrative rules. Please send a User-Agent header.")
        if f"/orgs/{ORGANIZATION}/" not in asked.path:
            raise self.refusal(404, "Not Found")
        day = self.day_parameter(asked, "day")
        if not self._is_there(day):
            raise self.refusal(404, "Not Found")
        expires = str(int(self.surroundings.wall_clock()) + _LINK_SECONDS)
        links = []
        for number in range(_FILES_A_REPORT):
            path = f"/signed-reports/{ORGANIZATION}-users-{day}-{number}.ndjson"
            links.append(f"{asked.base_url}{path}?se={expires}&sig={self._signature(path, expires)}")
        return Answer({"download_links": links, "report_day": day.isoformat()})

    def _is_there(self, day: date) -> bool:
        """A day without any use has a report too, with nothing in it."""
        if day < max(first_day_of("copilot"), self.now.date() - _HISTORY):
            return False
        told_at = availability.day_told_at(self.world.seed, "copilot", day, late_days="late_days" in self.world.quirks)
        return told_at <= self.now

    def _signature(self, path: str, expires: str) -> str:
        return digests.hexadecimal("copilot link", self.key, path, expires)

    def _file(self, asked: Asked) -> Answer:
        name = asked.path.rpartition("/")[2].removesuffix(".ndjson").removeprefix(f"{ORGANIZATION}-users-")
        day, number = date.fromisoformat(name[:10]), int(name[11:])
        by_engineer: dict[str, list[Call]] = defaultdict(list)
        for call in self.world.seen("copilot", day, self.now):
            if call.engineer is not None:
                by_engineer[call.engineer.id].append(call)
        users = {engineer.id: engineer for engineer in self.world.staff}
        rows = [
            self._user_day(day, users[name], calls)
            for place, (name, calls) in enumerate(sorted(by_engineer.items()))
            if place % _FILES_A_REPORT == number
        ]
        lines = b"".join(bytes(record) + b"\n" for record in asked.records(rows))
        return Answer(lines, media_type="application/x-ndjson")

    def _user_day(self, day: date, engineer: Engineer, calls: Sequence[Call]) -> dict[str, Any]:
        cli = [call for call in calls if call.surface == "cli"]
        editor = [call for call in calls if call.surface != "cli"]
        row: dict[str, Any] = {
            "day": day.isoformat(),
            "organization_id": _ORGANIZATION_ID,
            "user_id": 1000 + int(engineer.digits),
            "user_login": self.world.account(engineer, "copilot").actor,
            **_sums(calls),
            "totals_by_ide": [{"ide": "vscode", **_sums(editor)}] if editor else [],
            "totals_by_feature": [{"feature": "agent_edit", **_sums(calls)}],
            "totals_by_language_feature": [{"language": "kotlin", "feature": "agent_edit", **_sums(calls)}],
            "totals_by_language_model": [],
            "totals_by_model_feature": [
                {"model": model, "feature": "agent_edit", **_sums([call for call in calls if call.model == model])}
                for model in sorted({call.model for call in calls})
            ],
            "used_agent": True,
            "used_chat": bool(editor),
            "used_cli": bool(cli),
        }
        if cli:
            prompt, output = sum(call.uncached_input for call in cli), sum(call.output for call in cli)
            row["totals_by_cli"] = {
                "session_count": 1 + len(cli) // 6,
                "request_count": len(cli),
                "prompt_count": len(cli),
                "token_usage": {
                    "prompt_tokens_sum": prompt,
                    "output_tokens_sum": output,
                    "avg_tokens_per_request": round((prompt + output) / len(cli), 2),
                },
            }
        return row


def _sums(calls: Sequence[Call]) -> dict[str, int]:
    edits = sum(call.lines_added > 0 for call in calls)
    added, removed = sum(call.lines_added for call in calls), sum(call.lines_removed for call in calls)
    return {
        "user_initiated_interaction_count": len(calls),
        "code_generation_activity_count": edits + edits // 3,
        "code_acceptance_activity_count": edits,
        "loc_suggested_to_add_sum": added + added // 3,
        "loc_suggested_to_delete_sum": removed + removed // 3,
        "loc_added_sum": added,
        "loc_deleted_sum": removed,
    }


def _storage_refusal(status: int, code: str, message: str) -> Refusal:
    """The files are kept by another service, which answers in XML."""
    xml = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Refusal(status, xml.encode(), {"Content-Type": "application/xml"})
