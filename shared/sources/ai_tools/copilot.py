"""GitHub Copilot's daily user report: links first, then files of JSON lines behind them, fetched without the key."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct

from shared.errors import SourceUnavailable
from shared.extract.pages import PageFlow, PageRequest, PageSeen
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.ai_tools.tool import DailyTool, decoded, settings_of
from shared.sources.ai_tools.usage import ALL_MODELS, Figures, Usage
from shared.sources.family import RawPage
from shared.sources.record import known_fields, unknown_fields


class _Links(Struct, frozen=True):
    download_links: list[str]


class _Tokens(Struct, frozen=True):
    prompt_tokens_sum: int | None = None
    output_tokens_sum: int | None = None


class _Cli(Struct, frozen=True):
    session_count: int | None = None
    token_usage: _Tokens = _Tokens()


class _UserDay(Struct, frozen=True):
    day: date
    user_login: str
    user_initiated_interaction_count: int | None = None
    loc_added_sum: int | None = None
    totals_by_cli: _Cli | None = None


_FIELDS = known_fields(
    _UserDay,
    *("organization_id", "user_id", "code_generation_activity_count", "code_acceptance_activity_count"),
    *("loc_suggested_to_add_sum", "loc_suggested_to_delete_sum", "loc_deleted_sum", "totals_by_ide"),
    *("totals_by_feature", "totals_by_language_feature", "totals_by_language_model", "totals_by_model_feature"),
    *("used_agent", "used_chat", "used_cli"),
)


class Copilot(DailyTool):
    """`GET /orgs/{org}/copilot/metrics/reports/users-1-day`."""

    def requests(self, source: Source, first: date, _last: date) -> PageFlow:
        """The day's links, then each file."""
        path = f"/orgs/{settings_of(source).options['organization']}/copilot/metrics/reports/users-1-day"
        seen = yield PageRequest(path, (("day", first.isoformat()),), missing_ok=True)
        for link in seen.links:
            yield PageRequest(link)

    def split(self, source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """The links, or a file's lines. Raises SourceUnavailable while the vendor has no report of the day yet."""
        if "://" in request.path:
            lines = [line for line in response.body.split(b"\n") if line.strip()]
            return RawPage(lines, PageSeen(len(lines)))
        if response.status == 404:
            raise SourceUnavailable(f"{source.name}: no report of {dict(request.query)['day']} yet; it comes again")
        try:
            links = msgspec.json.decode(response.body, type=_Links).download_links
        except msgspec.DecodeError as exc:
            raise UnusableBody(f"no links: {exc}") from exc
        return RawPage([], PageSeen(0, links=tuple(links)))

    def uses(self, record: bytes, _: Mapping[str, Any]) -> Iterable[Usage]:
        """Everything for all models together; tokens of the command line only, since no other is told."""
        row = decoded(_UserDay, record)
        figures = Figures(requests=row.user_initiated_interaction_count, accepted_lines=row.loc_added_sum)
        if row.totals_by_cli is not None:
            cli = row.totals_by_cli
            figures.add(
                Figures(
                    sessions=cli.session_count,
                    input_tokens=cli.token_usage.prompt_tokens_sum,
                    output_tokens=cli.token_usage.output_tokens_sum,
                )
            )
        yield Usage(row.day, row.user_login, "login", ALL_MODELS, figures)

    def unknown(self, record: bytes, _: Mapping[str, Any]) -> set[str]:
        """See Tool."""
        return unknown_fields(record, _FIELDS)
