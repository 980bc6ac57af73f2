"""Landing objects: their names, and what their metadata tells the next step."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from shared.counts import RecordCounts
from shared.errors import RejectedObject
from shared.instants import from_text, to_text
from shared.windows.window import Window, is_window_id

PREFIX = "landing/"
_NAME = re.compile(
    r"landing/(?P<source>[a-z][a-z0-9_]{0,62})/(?P<window>\d{8}T\d{4}Z)/r(?P<revision>0|[1-9]\d{0,5})"
    r"/part-(?P<part>\d{5})\.parquet"
)


@dataclass(frozen=True, slots=True)
class PartName:
    """What a landing object's name says."""

    source: str
    window_id: str
    revision: int
    part: int

    @property
    def object_name(self) -> str:
        """The name in the landing bucket, without the bucket."""
        return f"{self.folder}/{self.file}"

    @property
    def folder(self) -> str:
        """The name's folder."""
        return f"landing/{self.source}/{self.window_id}/r{self.revision}"

    @property
    def file(self) -> str:
        """The name's last part."""
        return f"part-{self.part:05d}.parquet"

    @classmethod
    def parse(cls, object_name: str) -> "PartName":
        """Raises RejectedObject for a name outside the layout (also with look-alike characters)."""
        match = _NAME.fullmatch(object_name) if object_name.isascii() else None
        if match is None or not is_window_id(match["window"]):
            raise RejectedObject(
                f"object {object_name!r} is outside the landing layout; only the extractors write to this bucket"
            )
        return cls(match["source"], match["window"], int(match["revision"]), int(match["part"]))


@dataclass(frozen=True, slots=True)
class PartMetadata:
    """What the extractor knows of a part and every later step needs; travels as the object's metadata.

    `next_cursor` continues the extraction when the part is not the last; `not_before` delays that continuation.
    `watermark` is the highest version seen in this part, None for none. `scopes` are the days that the part holds
    whole, as observed at `observed_at`: rows of theirs that it lacks are gone at the source. `rejected` are the entries
    in quarantine; `records` what became of the source's records, None in parts that say nothing of it. `full`: the
    extraction reads the source's whole history.
    """

    pipeline: str
    window: Window
    contract: str
    fingerprint: str
    run_id: str
    rows: int
    rejected: int
    last: bool
    next_cursor: str
    not_before: datetime | None
    range_start: datetime
    range_end: datetime
    watermark: datetime | None
    crc32c: str
    observed_at: datetime
    scopes: tuple[str, ...] = ()
    records: RecordCounts | None = None
    full: bool = False

    def to_mapping(self) -> dict[str, str]:
        """As object metadata: text by text."""
        return {
            "pipeline": self.pipeline,
            "window": self.window.interval,
            "contract": self.contract,
            "fingerprint": self.fingerprint,
            "run_id": self.run_id,
            "rows": str(self.rows),
            "rejected": str(self.rejected),
            "last": "true" if self.last else "false",
            "next_cursor": self.next_cursor,
            "not_before": _text(self.not_before),
            "range_start": to_text(self.range_start),
            "range_end": to_text(self.range_end),
            "watermark": _text(self.watermark),
            "crc32c": self.crc32c,
            "observed_at": to_text(self.observed_at),
            "scopes": ",".join(self.scopes),
            **({"full": "true"} if self.full else {}),
            **({f"records_{name}": str(n) for name, n in asdict(self.records).items()} if self.records else {}),
        }

    @classmethod
    def from_mapping(cls, object_name: str, metadata: Mapping[str, str]) -> "PartMetadata":
        """Raises RejectedObject naming what is missing or wrong."""
        try:
            return cls(
                pipeline=metadata["pipeline"],
                window=Window.from_interval(metadata["pipeline"], metadata["window"]),
                contract=metadata["contract"],
                fingerprint=metadata["fingerprint"],
                run_id=metadata["run_id"],
                rows=int(metadata["rows"]),
                rejected=int(metadata["rejected"]),
                last=metadata["last"] == "true",
                next_cursor=metadata["next_cursor"],
                not_before=_instant(metadata["not_before"]),
                range_start=from_text(metadata["range_start"]),
                range_end=from_text(metadata["range_end"]),
                watermark=_instant(metadata["watermark"]),
                crc32c=metadata["crc32c"],
                observed_at=from_text(metadata["observed_at"]),
                scopes=tuple(scope for scope in metadata["scopes"].split(",") if scope),
                records=_records(metadata),
                full=metadata.get("full") == "true",
            )
        except KeyError as exc:
            raise RejectedObject(f"object {object_name!r} lacks metadata {exc}; no extractor wrote it") from exc
        except ValueError as exc:
            raise RejectedObject(f"object {object_name!r} has unusable metadata: {exc}") from exc


def _records(metadata: Mapping[str, str]) -> RecordCounts | None:
    # parts that landed before records were counted say nothing of them
    if "records_read" not in metadata:
        return None
    return RecordCounts(*(int(metadata[f"records_{field.name}"]) for field in fields(RecordCounts)))


def _text(instant: datetime | None) -> str:
    return "" if instant is None else to_text(instant)


def _instant(text: str) -> datetime | None:
    return from_text(text) if text else None
