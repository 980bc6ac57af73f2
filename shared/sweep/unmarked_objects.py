"""Landed objects whose notification was lost, or whose load died for good: announced again, as they landed."""

import hashlib
from collections.abc import Iterator

from shared import logs
from shared.errors import RejectedObject
from shared.landing import PREFIX, PartName
from shared.messages import LANDED_TOPIC, landed_notification
from shared.ports import StoredObject
from shared.quarantine import object_note
from shared.state import layout
from shared.sweep.asking import Asked, Measure, ask
from shared.sweep.round import Round

_MOST = 10
# A load that dies has been tried twenty times by Pub/Sub for each time it is announced.


def announce_unmarked_objects(sweep: Round) -> None:
    """Publish the notification of each object that is old, has no marker, and is not in quarantine."""
    for stored in list(_unmarked(sweep)):
        with (
            logs.bound(object=stored.name, generation=stored.generation),
            sweep.attempt("sweep.object_failed"),
        ):
            _announce(sweep, stored)


def _announce(sweep: Round, stored: StoredObject) -> None:
    subject = f"objects/{hashlib.sha256(stored.name.encode()).hexdigest()[:32]}-{stored.generation}"
    notification = landed_notification(sweep.ports.landing.name, stored)
    measure = Measure(_MOST, sweep.ports.grace)
    match ask(sweep, subject, measure, lambda: sweep.ports.publisher.publish(LANDED_TOPIC, *notification)):
        case Asked.NOW:
            sweep.summary.republished += 1
            logs.warning("sweep.object_republished")
        case Asked.TOO_OFTEN:
            message = f"{stored.name} was announced {_MOST} times and never loaded; see load's errors"
            logs.error("sweep.object_given_up", message=message)


def _unmarked(sweep: Round) -> Iterator[StoredObject]:
    for source in sorted(sweep.ports.registry.sources):
        marked = sweep.markers(source)
        for stored in sweep.ports.landing.list(f"{PREFIX}{source}/", start=f"{PREFIX}{source}/{sweep.since}"):
            if stored.created_at > sweep.old or _marker_of(stored.name) in marked:
                continue
            if sweep.ports.quarantine.stat(object_note(stored.name, stored.generation)) is None:
                yield stored


def _marker_of(object_name: str) -> str | None:
    try:
        name = PartName.parse(object_name)
    except RejectedObject:
        return None  # a stranger's object: the loader puts it into quarantine
    return layout.marker(name.source, name.window_id, name.revision, name.part)
