"""Quarantine: what cannot be loaded is kept whole, with its reason, to be looked at and replayed.

records/    records that break the contract, JSON lines, one object a part
objects/    landed objects that may not be loaded: the reason as JSON, and the object itself beside it
messages/   messages that do not say what to do
replays/    what was asked for again, beside the thing's own name
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from shared.landing import PartName
from shared.ports import Bucket
from shared.sources.family import Rejection

RECORDS, OBJECTS, MESSAGES, REPLAYS = "records/", "objects/", "messages/", "replays/"


def replay_note(name: str) -> str:
    """Where it stands that the quarantined thing of this name was asked for again."""
    return f"{REPLAYS}{name}"


def records_name(part: PartName, run_id: str) -> str:
    """Where a run puts the rejected records of a part; two attempts may cut parts differently, so the run is named."""
    return f"{RECORDS}{part.source}/{part.window_id}/r{part.revision}/part-{part.part:05d}.{run_id}.jsonl"


def keep_records(bucket: Bucket, part: PartName, run_id: str, rejections: Sequence[Rejection]) -> None:
    """Write the rejected records of a part: durable before the part is."""
    lines = [
        json.dumps(
            {
                "source": part.source,
                "window_id": part.window_id,
                "revision": part.revision,
                "part": part.part,
                "run_id": run_id,
                "reason": rejection.reason,
                "detail": rejection.detail,
                **_record(rejection.record),
            }
        )
        for rejection in rejections
    ]
    bucket.create(records_name(part, run_id), "\n".join(lines).encode() + b"\n", owner=run_id)


def forget_records(bucket: Bucket, part: PartName, run_id: str) -> None:
    """Take back the rejected records of a part that another attempt had written already."""
    name = records_name(part, run_id)
    described = bucket.stat(name)
    if described is not None:
        bucket.delete(name, generation=described.generation)


def object_note(name: str, generation: int) -> str:
    """Where the reason stands why an object may not be loaded.

    The object's name may be anything at all, so it is kept inside and only its digest stands in this name.
    """
    return f"{OBJECTS}{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}/{generation}.json"


def keep_object(bucket: Bucket, landing: Bucket, name: str, generation: int, reason: str, owner: str) -> None:
    """Copy a landed object here with the reason why it may not be loaded."""
    note_name = object_note(name, generation)
    bucket.copy_in(landing.name, name, generation, note_name.removesuffix(".json") + ".object")
    note = {"bucket": landing.name, "object": name, "generation": generation, "reason": reason}
    bucket.create(note_name, json.dumps(note).encode(), owner=owner)


def keep_message(bucket: Bucket, subject: str, message: Mapping[str, Any], reason: str, owner: str) -> None:
    """Keep a message that failed for good: one note a subject, which may be any text."""
    digest = hashlib.sha256(subject.encode("utf-8", "replace")).hexdigest()[:32]
    note = {"subject": subject, "message": message, "reason": reason}
    bucket.create(f"{MESSAGES}{digest}.json", json.dumps(note, default=str).encode(), owner=owner)


def _record(record: bytes) -> dict[str, str]:
    try:
        return {"record": record.decode()}
    except UnicodeDecodeError:
        return {"record_base64": base64.b64encode(record).decode()}
