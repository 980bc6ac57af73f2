"""The archive form: what loads, what is refused, and that every refusal is told at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from local.sources.incident_io.archive import (
    ArchiveError,
    archive_lines,
    encode_incident,
    load_archive,
    parse_archive,
)
from local.sources.incident_io.generator import generate
from local.sources.kit.instants import rfc3339

MINIMAL = (
    b'{"id":"1","impact":"minor","started_at":"2026-01-01T00:00:00Z",'
    b'"updates":[{"at":"2026-01-01T00:00:00Z","status":"Investigating"}]}'
)


def test_required_fields_are_enough_and_the_rest_has_defaults() -> None:
    """An archive can be made from a source that knows little."""
    (incident,) = parse_archive([MINIMAL, b"\n"])
    assert incident.mode == "standard"
    assert incident.components == ()
    assert incident.resolved_at is None
    assert encode_incident(incident) == MINIMAL


BAD_LINES = {
    "malformed": b"{nope",
    "utf-8": b'{"id":"\xff"}',
    "$.id": MINIMAL.replace(b'"id":"1"', b'"id":1'),
    "missing required field `impact`": MINIMAL.replace(b'"impact":"minor",', b""),
    "Invalid enum value": MINIMAL.replace(b"Investigating", b"Looking"),
    "unknown field": MINIMAL.replace(b'"id"', b'"resolvd_at":null,"id"'),
    "timezone": MINIMAL.replace(b"00:00Z", b"00:00"),
    "`updates` is empty": b'{"id":"1","impact":"minor","started_at":"2026-01-01T00:00:00Z","updates":[]}',
    "`id` is empty": MINIMAL.replace(b'"id":"1"', b'"id":""'),
    "not oldest first": MINIMAL.replace(b"}]", b'},{"at":"2025-01-01T00:00:00Z","status":"Resolved"}]'),
    "was used on line 1": MINIMAL,
}


def test_every_bad_line_is_reported_at_once_with_its_number() -> None:
    """Someone who repairs an archive sees the whole list, not its first entry."""
    lines = [MINIMAL, *BAD_LINES.values()]
    with pytest.raises(ArchiveError) as caught:
        parse_archive(lines, "broken.jsonl")
    assert [number for number, _ in caught.value.problems] == list(range(2, len(lines) + 1))
    for (_, reason), expected in zip(caught.value.problems, BAD_LINES, strict=True):
        assert expected in reason
    assert "broken.jsonl: 11 unusable line(s)" in str(caught.value)


def test_a_written_archive_loads_as_it_was(tmp_path: Path) -> None:
    """Writing and loading loses nothing, corrections and severities included."""
    incidents = list(generate(3, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC), per_day=10))
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(archive_lines(incidents)))
    assert load_archive(path) == incidents


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC), "2026-03-01T04:05:06Z"),
        (datetime(2026, 3, 1, 4, 5, 6, 120_000, tzinfo=UTC), "2026-03-01T04:05:06.12Z"),
        (datetime(2026, 3, 1, 4, 5, 6, 7, tzinfo=UTC), "2026-03-01T04:05:06.000007Z"),
        (datetime(2026, 3, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=2))), "2026-02-28T23:00:00Z"),
    ],
)
def test_instants_are_written_in_utc_without_needless_digits(instant: datetime, text: str) -> None:
    """Readers meet every number of fraction digits, as with the vendor."""
    assert rfc3339(instant) == text
