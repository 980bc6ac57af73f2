"""Envelopes: the records of a page, each as received; what is no page is refused, what is one bad record is not."""

import msgspec
import pytest

from shared.extract.sender import UnusableBody
from shared.sources.envelope import field_of, object_of, records_in


def test_records_are_the_bytes_that_were_sent() -> None:
    """Spaces, numbers and escapes included."""
    body = b'{"data": [ {"a": 1.10,  "b": "\\u00e9"} , 5, null ], "next": "x"}'
    records, envelope = records_in(body, "data")
    assert records == [b'{"a": 1.10,  "b": "\\u00e9"}', b"5", b"null"]
    assert field_of(envelope, "next", str) == "x"


def test_an_empty_list_is_a_page() -> None:
    """A day on which nobody did anything."""
    assert records_in(b'{"data": []}', "data")[0] == []


@pytest.mark.parametrize("bad", [b"NaN", b'{"cost": NaN}', b"[" * 40 + b"Infinity" + b"]" * 40, b"{'a': 1}"])
def test_one_record_that_is_no_json_leaves_the_others(bad: bytes) -> None:
    """It is cut out as it is, and rejected by whoever decodes it."""
    records, envelope = records_in(b'{"data": [{"a": 1}, ' + bad + b', {"a": 2}], "more": true}', "data")
    assert records == [b'{"a": 1}', bad, b'{"a": 2}']
    assert field_of(envelope, "more", bool) is True


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": "x"}',
        b'{"rows": []}',
        b'{"data": [{"a": 1}',
        b'{"data": [{"a": 1}]',
        b'{"data": [1], "more": tru',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_page_is_unusable(body: bytes) -> None:
    """Cut, foreign, of another shape: the sender asks again."""
    with pytest.raises(UnusableBody, match="no list 'data'"):
        records_in(body, "data")


def test_a_field_is_absent_null_or_of_its_type() -> None:
    """Another type is no page that we know."""
    _, envelope = records_in(b'{"data": [], "next": null, "count": 7}', "data")
    assert field_of(envelope, "next", str) is None
    assert field_of(envelope, "gone", str) is None
    with pytest.raises(UnusableBody, match="field 'count'"):
        field_of(envelope, "count", str)


def test_an_object_is_put_together_of_values_as_received() -> None:
    """A part of a record and what stands around it."""
    text = object_of({"date": b'"2026-06-01"', "used": msgspec.Raw(b'{"a":  1.10}')})
    assert text == b'{"date": "2026-06-01", "used": {"a":  1.10}}'
