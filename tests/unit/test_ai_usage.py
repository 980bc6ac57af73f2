"""Uses of AI tools: added up by day, actor and model, estimated where nothing is told, told apart from zero."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared.counts import RecordCounts
from shared.extract.pages import PageSeen
from shared.registry import registry
from shared.registry.ai_tools import AiToolSettings, Estimator
from shared.sources.ai_tools.estimation import Estimate, estimate
from shared.sources.ai_tools.rows import usage_rows
from shared.sources.ai_tools.tool import settings_of
from shared.sources.ai_tools.usage import ALL_MODELS, Figures, Usage, summed
from shared.sources.family import RawPage, Rows
from shared.sources.record import Refused
from tests.support.ai_pages import as_dicts

DAY = date(2026, 6, 1)
PER_LINE = Estimator(version="2026-01", method="per_accepted_line", tokens=15)
PER_REQUEST = Estimator(version="2026-01", method="per_request", tokens=7500)
NOTHING = Estimator(version="2026-01", method="none")


def _settings(*estimators: Estimator) -> AiToolSettings:
    return AiToolSettings(tool="cursor", estimators=estimators or (PER_LINE,))


def _use(actor: str = "ada@example.test", model: str = "gpt-5", day: date = DAY, **figures: Any) -> Usage:
    return Usage(day, actor, "email", model, Figures(**figures))


def _rows(*uses: Usage, settings: AiToolSettings | None = None, scope: tuple[str, ...] = ("2026-06-01",)) -> Rows:
    """Each use told by a record of its own."""
    records = [json.dumps({"n": number}).encode() for number in range(len(uses))]
    by_record = dict(zip(records, uses, strict=True))
    pages = [RawPage([record], PageSeen(1)) for record in records]
    return usage_rows(settings or _settings(), pages, scope, lambda record, _: [by_record[record]], _nothing_new)


def _nothing_new(_record: bytes, _context: Mapping[str, Any]) -> set[str]:
    return set()


def test_records_of_one_day_actor_and_model_are_added_up() -> None:
    """Tools have several of them: by terminal, by event, by page."""
    rows = summed(
        [
            (_use(input_tokens=1, requests=1, cost_usd=Decimal("0.1")), b"1"),
            (_use(input_tokens=2, output_tokens=5, requests=1, cost_usd=Decimal("0.2")), b"2"),
            (_use(model="auto", input_tokens=9), b"3"),
        ]
    )
    row = rows[DAY, "ada@example.test", "gpt-5"]
    assert row.figures == Figures(requests=2, input_tokens=3, output_tokens=5, cost_usd=Decimal("0.3"))
    assert row.records == [b"1", b"2"]
    assert rows[DAY, "ada@example.test", "auto"].figures.input_tokens == 9


def test_what_no_record_tells_stays_unknown_and_zero_is_known() -> None:
    """Unknown plus known is known."""
    (row,) = summed([(_use(requests=1), b"1"), (_use(requests=0, sessions=0), b"2")]).values()
    assert (row.figures.requests, row.figures.sessions, row.figures.cost_usd) == (1, 0, None)
    assert row.figures.tokens_reported is None
    assert Figures().is_active is False
    assert Figures(requests=0, cost_usd=Decimal(0)).is_active is False
    assert Figures(accepted_lines=1).is_active is True


def test_a_record_with_two_uses_of_one_row_is_kept_once() -> None:
    """The payload holds what was received, not how often it was used."""
    record = b"{}"
    (row,) = summed([(_use(requests=1), record), (_use(sessions=1), record)]).values()
    assert row.records == [record]


def test_all_tokens_are_the_classes_or_the_total_that_was_told() -> None:
    """The classes do not overlap; a total beside them would count twice."""
    classes = Figures(input_tokens=1, cache_read_tokens=2, cache_write_tokens=3, output_tokens=4, total_tokens=99)
    assert classes.tokens_reported == 10
    assert Figures(total_tokens=99).tokens_reported == 99
    assert Figures(output_tokens=0, total_tokens=99).tokens_reported == 0


@pytest.mark.parametrize(
    ("figures", "estimator", "told", "expected"),
    [
        (Figures(requests=3), PER_REQUEST, False, Estimate(22_500, "per_request", "2026-01")),
        (Figures(accepted_lines=4), PER_LINE, False, Estimate(60, "per_accepted_line", "2026-01")),
        (Figures(accepted_lines=0), PER_LINE, False, Estimate(0, "per_accepted_line", "2026-01")),
        (
            Figures(sessions=2),
            Estimator(version="v2", method="per_session", tokens=100),
            False,
            Estimate(200, "per_session", "v2"),
        ),
        (Figures(accepted_lines=4), PER_REQUEST, False, Estimate(None, "none", "2026-01")),
        (Figures(requests=3), NOTHING, False, Estimate(None, "none", "2026-01")),
        (Figures(requests=3), PER_REQUEST, True, Estimate(None, "none", "2026-01")),
    ],
)
def test_an_estimate_is_a_constant_times_what_the_tool_tells(
    figures: Figures, estimator: Estimator, told: bool, expected: Estimate
) -> None:
    """Nothing without a base, without a method, or where tokens are reported."""
    assert estimate(figures, estimator, tokens_told=told) == expected


def test_nothing_is_estimated_for_a_person_and_day_with_reported_tokens() -> None:
    """Also when they stand in another row: lines for all models together, tokens by model."""
    rows = as_dicts(
        _rows(
            _use(model=ALL_MODELS, accepted_lines=10),
            _use(model="gpt-5", requests=1, input_tokens=7, output_tokens=0),
            _use("eve@example.test", ALL_MODELS, accepted_lines=10),
        )
    )
    told = {(row["actor"], row["model"]): (row["tokens_reported"], row["tokens_estimated"]) for row in rows}
    assert told == {
        ("ada@example.test", ALL_MODELS): (None, None),
        ("ada@example.test", "gpt-5"): (7, None),
        ("eve@example.test", ALL_MODELS): (None, 150),
    }


def test_a_changed_constant_is_a_new_version_and_keeps_the_old() -> None:
    """The last one is in force; the reported figures, and so the digest, stay what they are."""
    newer = Estimator(version="2026-07", method="per_accepted_line", tokens=20)
    settings = _settings(PER_LINE, newer)
    (before,) = as_dicts(_rows(_use(model=ALL_MODELS, accepted_lines=10)))
    (after,) = as_dicts(_rows(_use(model=ALL_MODELS, accepted_lines=10), settings=settings))
    assert (before["tokens_estimated"], before["estimator_version"]) == (150, "2026-01")
    assert (after["tokens_estimated"], after["estimator_version"]) == (200, "2026-07")
    assert before["content_digest"] == after["content_digest"]
    assert settings.estimators[0] == PER_LINE


def test_the_shipped_constants_are_the_stated_ones() -> None:
    """7,500 tokens a request of Claude Code, 15 a line in an editor, nothing where every use is told."""
    sources = [source for source in registry().sources.values() if source.pipeline == "ai_dx_metrics"]
    shipped = {source.family: settings_of(source).estimator for source in sources}
    assert {tool: (estimator.method, estimator.tokens) for tool, estimator in shipped.items()} == {
        "g2": ("none", 0),
        "goose": ("none", 0),
        "claude_code": ("per_request", 7500),
        "cursor": ("per_accepted_line", 15),
        "firebender": ("per_accepted_line", 15),
        "amp": ("per_accepted_line", 15),
        "chatgpt": ("none", 0),
    }


@pytest.mark.parametrize(
    "estimators",
    [
        [],
        [{"version": "a", "method": "per_request"}],
        [{"version": "a", "method": "none", "tokens": 5}],
        [{"version": "a"}, {"version": "a"}],
        [{"version": "a", "method": "per_request", "tokens": -1}],
    ],
)
def test_estimators_that_make_no_sense_are_refused(estimators: list[dict[str, Any]]) -> None:
    """A method has a constant, a version is one thing."""
    with pytest.raises(ValueError, match=r"estimators|tokens|version"):
        AiToolSettings.model_validate({"tool": "cursor", "estimators": estimators})


def test_uses_of_other_days_are_left_out() -> None:
    """They belong to the extraction of their own day, and are counted as skipped."""
    rows = _rows(_use(requests=1), _use(day=date(2026, 6, 2), requests=1), _use(day=date(2026, 5, 31), requests=1))
    assert [row["usage_date"] for row in as_dicts(rows)] == [DAY]
    assert (rows.kept, rows.skipped) == (1, 2)


def test_records_are_counted_and_not_their_uses() -> None:
    """One that tells of two days is kept for one of them; one that tells nothing is skipped; alike ones are two."""
    told = {
        b'{"n": 0}': [_use(requests=1), _use(requests=2), _use(day=date(2026, 5, 31), requests=1)],
        b'{"n": 1}': [],
        b'{"n": 2}': [_use(requests=4)],
    }
    records = [bytes(bytearray(record)) for record in (*told, b'{"n": 2}')]
    pages = [RawPage(records[:2], PageSeen(2)), RawPage(records[2:], PageSeen(2))]
    rows = usage_rows(_settings(), pages, ("2026-06-01",), lambda record, _: told[record], _nothing_new)
    assert rows.records(4) == RecordCounts(read=4, kept=3, rejected=0, skipped=1)
    assert [row["requests"] for row in as_dicts(rows)] == [11]


def test_the_order_of_records_does_not_matter() -> None:
    """A vendor may page the same day otherwise: same rows, same digest, same payload."""
    uses = [_use(requests=1, cost_usd=Decimal("0.1")), _use(requests=5), _use("eve@example.test", requests=2)]
    records = [json.dumps({"n": number}).encode() for number in range(3)]
    by_record = dict(zip(records, uses, strict=True))

    def rows(*order: int) -> list[dict[str, Any]]:
        pages = [RawPage([records[n] for n in order], PageSeen(3))]
        return as_dicts(
            usage_rows(_settings(), pages, ("2026-06-01",), lambda record, _: [by_record[record]], _nothing_new)
        )

    assert rows(0, 1, 2) == rows(2, 1, 0) == rows(1, 2, 0)
    (ada, _) = rows(0, 1, 2)
    assert json.loads(ada["payload"]) == [{"n": 0}, {"n": 1}]


def test_the_digest_follows_the_figures_and_nothing_else() -> None:
    """What else a record says (a key's team as of today, a new field) is no re-statement."""

    def digest(record: bytes, **figures: Any) -> str:
        page = RawPage([record], PageSeen(1))
        (row,) = as_dicts(usage_rows(_settings(), [page], ("2026-06-01",), lambda *_: [_use(**figures)], _nothing_new))
        return str(row["content_digest"])

    same = digest(b'{"team": "a"}', requests=1, cost_usd=Decimal("0.10"))
    assert digest(b'{"team": "b"}', requests=1, cost_usd=Decimal("0.1000000001")) == same
    for changed in ({"requests": 2}, {"requests": None}, {"sessions": 1}, {"requests": 0}, {"output_tokens": 1}):
        assert digest(b"{}", **{"requests": 1, "cost_usd": Decimal("0.1")} | changed) != same
    assert digest(b"{}", requests=1, sessions=2) != digest(b"{}", requests=2, sessions=1)


def test_money_is_rounded_to_the_column_s_scale() -> None:
    """Sums of binary fractions have more digits than they mean."""
    (row,) = as_dicts(_rows(_use(cost_usd=Decimal("0.1234565001")), _use(credits=Decimal("2.5"))))
    assert (row["cost_usd"], row["credits"]) == (Decimal("0.123457"), Decimal("2.500000"))


def test_a_negative_figure_is_flagged_and_kept() -> None:
    """A correction by the vendor may be meant; the flag says that somebody should look."""
    (row,) = as_dicts(_rows(_use(input_tokens=-5, requests=1)))
    assert (row["dq_valid"], json.loads(row["dq_flags"]), row["tokens_reported"]) == (False, ["negative_figure"], -5)


@pytest.mark.parametrize(
    "figures",
    [
        {"requests": 10**16},
        {"input_tokens": -(10**16)},
        {"cost_usd": Decimal("NaN")},
        {"cost_usd": Decimal("Infinity")},
        {"credits": Decimal("1e300")},
        {"output_tokens": 10**400},
    ],
)
def test_a_figure_that_no_column_holds_costs_only_its_record(figures: dict[str, Any]) -> None:
    """It is rejected before it can stop the file."""
    rows = _rows(_use(**figures), _use("eve@example.test", requests=1))
    assert [(r.reason, r.record) for r in rows.rejections] == [("implausible_figure", b'{"n": 0}')]
    assert [row["actor"] for row in as_dicts(rows)] == ["eve@example.test"]


@pytest.mark.parametrize("actor", ["", " ", "\t\n"])
def test_a_record_that_names_nobody_is_rejected(actor: str) -> None:
    """A row's key is somebody."""
    rows = _rows(_use(actor, requests=1))
    assert ([r.reason for r in rows.rejections], rows.count) == (["no_actor"], 0)


def test_a_record_is_rejected_as_a_whole() -> None:
    """Of a record whose second use is wrong the first does not count either."""

    def uses(_: bytes, __: object) -> list[Usage]:
        return [_use(requests=1), _use(requests=10**17)]

    def raising(_: bytes, __: object) -> list[Usage]:
        raise Refused("wrong_type", "not a number")

    for reading, reason in ((uses, "implausible_figure"), (raising, "wrong_type")):
        rows = usage_rows(_settings(), [RawPage([b"{}"], PageSeen(1))], ("2026-06-01",), reading, _nothing_new)
        assert ([r.reason for r in rows.rejections], rows.count) == ([reason], 0)


def test_no_uses_are_no_rows() -> None:
    """An empty day, as it should be."""
    rows = _rows()
    assert (rows.count, dict(rows.columns), rows.rejections, rows.skipped) == (0, {}, [], 0)
