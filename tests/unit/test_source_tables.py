"""What all lists have in common: rows checked against their columns, next pages by link, readers by contract."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from shared.contracts import CONTRACTS
from shared.contracts.arrow import arrow_schema
from shared.contracts.contract import Column, Contract, Kind
from shared.counts import RecordCounts
from shared.errors import ConfigurationError
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry import registry
from shared.registry.github import GithubSettings
from shared.sources.by_contract import ByContract
from shared.sources.families import FAMILIES
from shared.sources.family import ExtractionRange
from shared.sources.links import next_value
from shared.sources.record import EARLIEST, LATEST, MAX_RECORD_BYTES, Refused, checked_text, decoded, instant_of_ms
from shared.sources.settings import typed_settings
from shared.sources.table import Row, Table

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTRACT = Contract(
    name="things",
    table="THINGS",
    grain="One row a thing.",
    keys=("id",),
    version="updated_at",
    anchor="updated_at",
    cluster_by="updated_at",
    columns=(
        Column("id", Kind.TEXT, "", True),
        Column("count", Kind.INTEGER, ""),
        Column("price", Kind.MONEY, ""),
        Column("share", Kind.NUMBER, ""),
        Column("tags", Kind.JSON, "", True),
        Column("updated_at", Kind.INSTANT, "", True),
        Column("payload", Kind.JSON, "", True),
    ),
)


def _table(start: datetime = NOON, *, full: bool = False, skips: bool = True) -> Table:
    return Table(CONTRACT, ExtractionRange(start, NOON + timedelta(hours=1), full=full), skips)


def _add(table: Table, record: bytes = b"{}", **values: Any) -> bool:
    row = {"id": "a", "tags": [], "updated_at": NOON, **values}

    def convert(_: bytes, payload: str) -> Iterable[Row]:
        yield Row(dict(row), payload)

    return table.add(record, convert)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"id": ""}, "empty_key"),
        ({"id": " \t"}, "empty_key"),
        ({"id": None}, "missing_value"),
        ({"updated_at": None}, "missing_value"),
        ({"tags": None}, "missing_value"),
        ({"count": 2**63}, "implausible_figure"),
        ({"count": -(2**63) - 1}, "implausible_figure"),
        ({"price": Decimal("NaN")}, "implausible_figure"),
        ({"price": Decimal("-Infinity")}, "implausible_figure"),
        ({"price": Decimal(10) ** 20}, "implausible_figure"),
        ({"share": float("inf")}, "implausible_figure"),
        ({"share": float("nan")}, "implausible_figure"),
        ({"updated_at": EARLIEST - timedelta(microseconds=1)}, "implausible_instant"),
        ({"updated_at": LATEST}, "implausible_instant"),
    ],
)
def test_what_a_column_cannot_hold_is_rejected(values: dict[str, Any], reason: str) -> None:
    """It would stop the file that it is in."""
    table = _table()
    assert not _add(table, b'{"a": 1}', **values)
    (rejection,) = table.rows().rejections
    assert (rejection.reason, rejection.record) == (reason, b'{"a": 1}')
    assert table.rows().count == 0


@pytest.mark.parametrize(
    "values",
    [
        {"count": 2**63 - 1, "price": Decimal("99999999999999999999.9999994"), "share": 1.7e308},
        {"count": -(2**63) + 1, "price": Decimal("1e-12"), "share": -0.0},
        {"updated_at": EARLIEST.astimezone()},
        {},
    ],
)
def test_what_passes_can_be_written(values: dict[str, Any]) -> None:
    """The checks are as strict as the file's schema."""
    table = _table(EARLIEST)
    assert _add(table, **values)
    columns = table.rows().columns
    for field in arrow_schema(CONTRACT):
        name = field.name.lower()
        if name in columns:
            pa.array(columns[name], field.type)


def test_an_amount_that_cannot_be_computed_with_is_rejected() -> None:
    """Whatever the computation raises."""
    table = _table()

    def convert(record: bytes, payload: str) -> Iterable[Row]:
        amount = Decimal(record.decode())
        yield Row({"id": "a", "tags": [], "updated_at": NOON, "price": max(amount * 2, Decimal(0))}, payload)

    for text in (b"NaN", b"sNaN", b"1e999999"):
        assert not table.add(text, convert)
    assert [rejection.reason for rejection in table.rejections] == ["implausible_figure"] * 3


def test_amounts_have_six_places() -> None:
    """The column's; a float's tail is cut, half to even."""
    table = _table()
    _add(table, price=Decimal("0.1234565"))
    assert table.rows().columns["price"] == [Decimal("0.123456")]


def test_older_rows_are_skipped_unless_everything_is_read() -> None:
    """Inclusively; what is skipped moves no watermark."""
    old = NOON - timedelta(microseconds=1)
    for table, skipped in ((_table(), 1), (_table(full=True), 0), (_table(skips=False), 0)):
        _add(table, updated_at=old)
        _add(table, updated_at=NOON)
        rows = table.rows()
        assert (rows.skipped, rows.count, rows.watermark) == (skipped, 2 - skipped, NOON)


def test_a_record_has_one_fate_whatever_its_parts_have() -> None:
    """Rejected before kept before skipped; each part in quarantine is an entry, each row a row."""

    def convert(part: bytes, payload: str) -> Iterable[Row]:
        if part == b'"bad"':
            raise Refused("wrong_type", "bad")
        old = part == b'"old"'
        yield Row({"id": payload, "tags": [], "updated_at": NOON - timedelta(days=1) if old else NOON}, payload)

    table = _table()
    fates = {
        (b'"good"', b'"bad"', b'"bad"', b'"old"'): False,
        (b'"good"', b'"old"', b'"good"'): True,
        (b'"old"',): True,
        (): True,
    }
    for parts, taken in fates.items():
        assert table.add_parts(parts, convert) is taken
    table.skip(2)
    table.reject(Refused("wrong_type", "whole"), b"{}")
    rows = table.rows()
    assert rows.records(7) == RecordCounts(read=7, kept=1, rejected=2, skipped=4)
    assert (rows.count, len(rows.rejections)) == (3, 3)


def test_unknown_fields_are_named_once() -> None:
    """Those that are known and not read are not."""
    table = _table()
    table.add(b'{"a": 1, "b": 2}', lambda *_: (), frozenset({"a"}))
    table.add(b'{"b": 1, "c": 2}', lambda *_: (), frozenset({"a"}))
    assert table.rows().unknown == {"b", "c"}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b'{"a": "\xff"}', "not_json"),
        (b'{"a": "\\ud800"}', "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b', "b": "\\u00e9"}', "too_deep"),
        (b'"' + b"x" * MAX_RECORD_BYTES + b'"', "too_large"),
    ],
)
def test_a_record_that_is_no_text_or_no_json_is_refused(record: bytes, reason: str) -> None:
    """Before anything is looked for in it."""

    def read() -> None:
        checked_text(record)
        decoded(dict[str, Any], record)

    with pytest.raises(Refused) as caught:
        read()
    assert caught.value.reason == reason


def test_instants_of_milliseconds() -> None:
    """Exact to the millisecond; none outside the calendar."""
    assert instant_of_ms(1_773_532_800_001) == datetime(2026, 3, 15, 0, 0, 0, 1000, tzinfo=UTC)
    for milliseconds in (10**18, -(10**18), 10**30):
        with pytest.raises(Refused):
            instant_of_ms(milliseconds)


@pytest.mark.parametrize(
    ("link", "value"),
    [
        ("", None),
        ('<https://x.example/?page=2>; rel="next"', "2"),
        ("<https://x.example/?page=2>; rel=next", "2"),
        ('<https://x.example/?page=1>; rel="prev", <https://x.example/?a=1&page=3>; rel="next"', "3"),
        ('<https://x.example/?page=9>; rel="last"', None),
        ('<https://x.example/?page=a%2Cb%3D>; title="x"; rel="next"', "a,b="),
        ('<https://x.example/?page=9>; rel="nextish"', None),
    ],
)
def test_the_next_page_is_named_by_a_link(link: str, value: str | None) -> None:
    """In any place, quoted or not, escaped or not."""
    assert next_value(HttpResponse(200, {"link": link}, b""), "page") == value


def test_a_next_page_without_the_parameter_is_no_answer() -> None:
    """Else the list would seem to end."""
    with pytest.raises(UnusableBody):
        next_value(HttpResponse(200, {"link": '<https://x.example/?after=2>; rel="next"'}, b""), "page")


def test_every_source_has_a_reader_of_its_contract() -> None:
    """What the registry pairs must be paired in code."""
    for source in registry().sources.values():
        family = FAMILIES[source.family]
        if isinstance(family, ByContract):
            assert source.contract in family.readers, source.name
    shop = registry().source("ecommerce_orders").model_copy(update={"contract": "incidents"})
    with pytest.raises(ConfigurationError, match="ecommerce_orders"):
        FAMILIES["shop"].pages(shop, ExtractionRange(NOON, NOON), "")


def test_every_contract_is_used_and_marks_personal_data() -> None:
    """A table that nobody fills, or a name that nobody hashes, is a mistake."""
    assert {source.contract for source in registry().sources.values()} == CONTRACTS.keys()
    personal = {"email", "login", "author_login", "first_name", "last_name", "phone", "city"}
    for contract in CONTRACTS.values():
        for column in contract.columns:
            assert column.pii or column.name not in personal, f"{contract.name}.{column.name}"


def test_settings_are_typed_once() -> None:
    """Equal blocks are one object."""
    source = registry().source("github_pull_requests")
    settings = typed_settings(GithubSettings, source)
    assert settings.repositories == ("storefront", "platform", "mobile")
    assert typed_settings(GithubSettings, source.model_copy()) is settings
    assert json.dumps(source.settings)
