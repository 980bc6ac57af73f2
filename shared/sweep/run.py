"""The sweep: landed but unmarked objects, windows past their deadline, pending dbt requests. Safe to repeat.

It repairs by the ordinary way: an unmarked object is published again as the notification that was lost.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared import logs
from shared.errors import RejectedObject
from shared.landing import PREFIX, PartName
from shared.messages import LANDED_TOPIC
from shared.ports import Bucket, Publisher, StoredObject
from shared.quarantine import object_note
from shared.registry.load import Registry
from shared.state import layout
from shared.windows.closing import ClosingPorts, settle_open_windows, start_job_if_needed

GRACE_MINUTES = 15
# Younger objects may still be on their ordinary way: a push may be retried after 600 s.

_LEFTOVER_AGE = timedelta(hours=1)
# A window drains what it listed within its deadline of 15 minutes, else the windows after it do.


@dataclass(frozen=True, slots=True)
class SweepPorts:
    """What the sweep needs from the outside."""

    registry: Registry
    landing: Bucket
    quarantine: Bucket
    publisher: Publisher
    closing: ClosingPorts
    grace: timedelta = timedelta(minutes=GRACE_MINUTES)


@dataclass(slots=True)
class SweepSummary:
    """What the sweep found."""

    republished: int = 0
    windows_settled: int = 0
    failures: int = 0
    job_started: bool = False
    spool_leftovers: int = 0


def sweep(ports: SweepPorts) -> SweepSummary:
    """One round. A failure of one repair is logged and counted, and the others go on."""
    summary = SweepSummary()
    for stored in list(_unmarked(ports)):
        ports.publisher.publish(LANDED_TOPIC, *_notification(ports.landing, stored))
        logs.warning("sweep.object_republished", object=stored.name, generation=stored.generation)
        summary.republished += 1

    def failed(window: str, exc: Exception) -> None:
        summary.failures += 1
        logs.error("sweep.window_failed", exc, window=window)

    summary.windows_settled = len(settle_open_windows(ports.closing, failed))
    summary.spool_leftovers = _name_leftovers(ports)
    pending = list(ports.closing.documents.names(layout.REQUESTS))
    if pending:
        summary.job_started = start_job_if_needed(ports.closing)
    return summary


def _name_leftovers(ports: SweepPorts) -> int:
    """Events that no window has drained within an hour: a source of their workspace fails, or nothing reads them."""
    old = ports.closing.clock.now() - _LEFTOVER_AGE
    oldest: dict[str, datetime] = {}
    count: Counter[str] = Counter()
    for stored in ports.closing.spool.list(""):
        if stored.created_at <= old:
            workspace = stored.name.partition("/")[0]
            count[workspace] += 1
            oldest[workspace] = min(stored.created_at, oldest.get(workspace, stored.created_at))
    for workspace, events in sorted(count.items()):
        logs.error(
            "sweep.spool_leftovers",
            workspace=workspace,
            events=events,
            oldest_at=oldest[workspace],
            message=f"{events} events of {workspace} wait in the spool for over an hour; see its sources' errors",
        )
    return count.total()


def _unmarked(ports: SweepPorts) -> Iterator[StoredObject]:
    old = ports.closing.clock.now() - ports.grace
    for source in sorted(ports.registry.sources):
        marked = set(ports.closing.documents.names(layout.markers(source)))
        for stored in ports.landing.list(f"{PREFIX}{source}/"):
            if stored.created_at > old or _marker_of(stored.name) in marked:
                continue
            if ports.quarantine.stat(object_note(stored.name, stored.generation)) is None:
                yield stored


def _marker_of(object_name: str) -> str | None:
    try:
        name = PartName.parse(object_name)
    except RejectedObject:
        return None  # a stranger's object: the loader puts it into quarantine
    return layout.marker(name.source, name.window_id, name.revision, name.part)


def _notification(landing: Bucket, stored: StoredObject) -> tuple[dict[str, str], bytes]:
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": landing.name,
        "objectId": stored.name,
        "objectGeneration": str(stored.generation),
    }
    resource = {
        "kind": "storage#object",
        "bucket": landing.name,
        "name": stored.name,
        "generation": str(stored.generation),
        "size": str(stored.size),
        "crc32c": stored.crc32c,
        "metadata": dict(stored.metadata),
    }
    return attributes, json.dumps(resource).encode()
