"""Uses of a tool as rows of the AI tools' contract."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple
from decimal import Decimal
from typing import Any

import msgspec

from shared.contracts.ai_tool_daily_metrics import AI_TOOL_DAILY_METRICS
from shared.registry.ai_tools import AiToolSettings
from shared.sources.ai_tools.estimation import estimate
from shared.sources.ai_tools.usage import DayUsage, Figures, Usage, UsageKey, summed
from shared.sources.family import RawPage, Rejection, Rows
from shared.sources.record import Refused, checked_text

COLUMNS = (*(column.name for column in AI_TOOL_DAILY_METRICS.columns), "dq_valid", "dq_flags")

UsesOf = Callable[[bytes, Mapping[str, Any]], Iterable[Usage]]
"""A tool's own reading of a record, given what its page says. Raises msgspec.ValidationError or Refused."""

UnknownOf = Callable[[bytes, Mapping[str, Any]], set[str]]
"""Names of fields that the tool's own reading does not know, in a record that it could read."""


def usage_rows(
    settings: AiToolSettings, pages: Sequence[RawPage], scope: Sequence[str], uses_of: UsesOf, unknown_of: UnknownOf
) -> Rows:
    """Records of whole days as columns; those that break the contract are rejected whole.

    A use of a day outside `scope` is left out: it belongs to the extraction of that day.
    """
    uses: list[tuple[Usage, bytes]] = []
    rejections: list[Rejection] = []
    unknown: set[str] = set()
    days, skipped = set(scope), 0
    for page in pages:
        for record in page.records:
            try:
                checked_text(record)
                told = [(checked(usage), record) for usage in uses_of(record, page.context)]
            except Refused as exc:
                rejections.append(Rejection(exc.reason, exc.detail, bytes(record)))
                continue
            unknown |= unknown_of(record, page.context)
            inside = [use for use in told if use[0].day.isoformat() in days]
            skipped += not inside
            uses += inside
    rows = rows_of(settings, uses, rejections)
    rows.skipped, rows.unknown = skipped, unknown
    return rows


def checked(usage: Usage) -> Usage:
    """The usage itself. Raises Refused when it names nobody, or has figures that no column can hold."""
    if not usage.actor.strip():
        raise Refused("no_actor", "the record names nobody")
    if (name := usage.figures.implausible()) is not None:
        raise Refused("implausible_figure", f"{name} is beyond what can be meant")
    return usage


def rows_of(
    settings: AiToolSettings,
    uses: Sequence[tuple[Usage, bytes]],
    rejections: list[Rejection],
) -> Rows:
    """Uses, each with the record that tells it, as columns: summed up by day, actor and model."""
    summed_up = summed(uses)
    # a tool that tells lines for all models together and tokens by model must not have both counted
    told = {(day, actor) for (day, actor, _), row in summed_up.items() if row.figures.tokens_reported is not None}
    tuples = [_row(settings, key, row, tokens_told=(key[0], key[1]) in told) for key, row in sorted(summed_up.items())]
    columns = dict(zip(COLUMNS, zip(*tuples, strict=True), strict=True)) if tuples else {}
    # by their identity, counted in the rows themselves: two records that are alike are two
    told_by = {id(record) for row in summed_up.values() for record in row.records}
    return Rows(columns, len(tuples), rejections, kept=len(told_by))


def _row(settings: AiToolSettings, key: UsageKey, row: DayUsage, *, tokens_told: bool) -> tuple[Any, ...]:
    day, actor, model = key
    figures = row.figures
    estimated = estimate(figures, settings.estimator, tokens_told=tokens_told)
    flags = _flags(row)
    # sorted: the vendor may page the same records in another order
    payload = b"[" + b",".join(sorted(row.records)) + b"]"
    return (
        settings.tool,
        day,
        actor,
        row.actor_kind,
        model,
        figures.requests,
        figures.sessions,
        figures.accepted_lines,
        figures.input_tokens,
        figures.cache_read_tokens,
        figures.cache_write_tokens,
        figures.output_tokens,
        figures.tokens_reported,
        estimated.tokens,
        estimated.method,
        estimated.version,
        _to_the_millionth(figures.cost_usd),
        _to_the_millionth(figures.credits),
        figures.is_active,
        _digest(row.figures),
        payload.decode(),
        not flags,
        msgspec.json.encode(flags).decode(),
    )


def _digest(figures: Figures) -> str:
    # of the figures, not of the records: those also say what is no re-statement, such as a key's team as of today
    values = [str(_to_the_millionth(v)) if isinstance(v, Decimal) else v for v in astuple(figures)]
    return hashlib.sha256(msgspec.json.encode(values)).hexdigest()


def _to_the_millionth(amount: Decimal | None) -> Decimal | None:
    # the column's scale; vendors that count in binary fractions have more digits than they mean
    return None if amount is None else amount.quantize(Decimal("0.000001"))


def _flags(row: DayUsage) -> list[str]:
    figures = row.figures
    counts = (figures.requests, figures.sessions, figures.accepted_lines, figures.tokens_reported, figures.cost_usd)
    return ["negative_figure"] if any(value is not None and value < 0 for value in counts) else []
