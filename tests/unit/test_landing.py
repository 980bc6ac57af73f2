"""Landing objects: names and metadata are read back as they were written, or refused."""

from dataclasses import replace

import pytest

from shared.counts import RecordCounts
from shared.errors import RejectedObject
from shared.landing import PartMetadata, PartName
from shared.windows.window import Window
from tests.support.world import at

NAME = PartName("incident_io_alpha_incidents", "20261120T0700Z", 3, 12)
METADATA = PartMetadata(
    pipeline="ops_incidents",
    window=Window("ops_incidents", at(6), at(7)),
    contract="incidents",
    fingerprint="0123456789abcdef",
    run_id="run",
    rows=3,
    rejected=1,
    last=False,
    next_cursor="01CURSOR",
    not_before=at(8),
    range_start=at(5),
    range_end=at(7),
    watermark=at(6.5),
    crc32c="AAAAAA==",
    observed_at=at(7.5),
    scopes=("2026-11-18", "2026-11-19"),
)


def test_what_became_of_the_records_is_read_back_where_it_is_told() -> None:
    """Parts that landed before it was told say nothing of it; zero is something else."""
    for records in (RecordCounts(9, 3, 1, 5), RecordCounts(), None):
        metadata = replace(METADATA, records=records, full=records is not None)
        assert PartMetadata.from_mapping(GOOD, metadata.to_mapping()) == metadata
    text = replace(METADATA, records=RecordCounts(9, 3, 1, 5)).to_mapping()
    for name in ("records_kept", "records_rejected", "records_skipped"):
        with pytest.raises(RejectedObject, match=name):
            PartMetadata.from_mapping(GOOD, {key: value for key, value in text.items() if key != name})


def test_a_name_is_read_back() -> None:
    """Five digits for the part, so that names sort."""
    text = "landing/incident_io_alpha_incidents/20261120T0700Z/r3/part-00012.parquet"
    assert NAME.object_name == text
    assert PartName.parse(text) == NAME
    assert f"{NAME.folder}/{NAME.file}" == text


GOOD = NAME.object_name


@pytest.mark.parametrize(
    "name",
    [
        "",
        GOOD + " ",
        GOOD + "\n",
        "/" + GOOD,
        GOOD.removeprefix("landing/"),
        GOOD.replace("landing", "Landing"),
        GOOD.replace("incident_io", "../incident_io"),
        GOOD.replace("incident_io", "incident'io"),
        GOOD.replace("incident_io", 'incident"io'),
        GOOD.replace("incident_io", "incident;io"),
        GOOD.replace("incident_io", "incident\\io"),
        GOOD.replace("incident_io", "іncident_io"),  # noqa: RUF001 - Cyrillic
        GOOD.replace("incident_io", "ｉncident_io"),  # noqa: RUF001 - full width
        GOOD.replace("incident_io", "Incident_io"),
        GOOD.replace("incident_io", "a" * 64),
        GOOD.replace("2026", "\u0662\u0660\u0662\u0666"),
        GOOD.replace("00012", "\uff10\uff10\uff10\uff11\uff12"),
        GOOD.replace("20261120T0700Z", "20261320T0700Z"),
        GOOD.replace("20261120T0700Z", "20261120T2500Z"),
        GOOD.replace("20261120T0700Z", "20261120T07:00Z"),
        GOOD.replace("/r3/", "/r03/"),
        GOOD.replace("/r3/", "/r-1/"),
        GOOD.replace("/r3/", "/"),
        GOOD.replace("00012", "12"),
        GOOD.replace("00012", "000012"),
        GOOD.replace(".parquet", ".json"),
        GOOD.replace("/part", "//part"),
    ],
)
def test_a_name_outside_the_layout_is_refused(name: str) -> None:
    """Also look-alikes, and windows that do not exist."""
    with pytest.raises(RejectedObject, match="outside the landing layout"):
        PartName.parse(name)


@pytest.mark.parametrize(
    "metadata", [METADATA, replace(METADATA, not_before=None, watermark=None, last=True, next_cursor="")]
)
def test_metadata_is_read_back(metadata: PartMetadata) -> None:
    """Text by text, as Cloud Storage keeps it."""
    mapping = metadata.to_mapping()
    assert all(isinstance(value, str) for value in mapping.values())
    assert PartMetadata.from_mapping(GOOD, mapping) == metadata
    assert PartMetadata.from_mapping(GOOD, {**mapping, "owner": "someone", "later": "field"}) == metadata


@pytest.mark.parametrize("key", METADATA.to_mapping())
def test_metadata_that_lacks_anything_is_refused_by_name(key: str) -> None:
    """No extractor wrote it."""
    mapping = METADATA.to_mapping()
    del mapping[key]
    with pytest.raises(RejectedObject, match=f"lacks metadata '{key}'"):
        PartMetadata.from_mapping(GOOD, mapping)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rows", "many"),
        ("rows", "1.5"),
        ("rejected", ""),
        ("window", "20261120T0700Z"),
        ("window", "2026-11-20T07:00:00Z/2026-11-20T06:00:00Z"),
        ("range_start", ""),
        ("range_end", "tomorrow"),
        ("watermark", "2026-11-20T07:00:00"),
        ("not_before", "0001-01-01T00:00:00+05:00"),
    ],
)
def test_metadata_that_cannot_be_read_is_refused(key: str, value: str) -> None:
    """With what is wrong."""
    with pytest.raises(RejectedObject, match="unusable metadata"):
        PartMetadata.from_mapping(GOOD, {**METADATA.to_mapping(), key: value})
