"""Quarantine as a person sees it: what is there and why, what it looks like, and asking for it again.

records    the window is extracted again, as a new revision that reads what the quarantined one read
objects    the landing object is announced again, as it was when it landed
messages   the message is published again, with the window that it meant

What was asked for again keeps its place, with a note of what was asked: `asked` until the outcome is there, then
`replayed`. Nothing is deleted.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.errors import ConfigurationError, MalformedMessage, PermanentError, RejectedObject
from shared.instants import to_text
from shared.landing import PartName
from shared.messages import LANDED_TOPIC, ExtractMessage, Message, delivered_message, landed_notification
from shared.operate.replay import ReplayPorts, replay
from shared.operate.revisions import revision_markers
from shared.ports import Bucket, Clock, StoredObject
from shared.quarantine import MESSAGES, OBJECTS, RECORDS, replay_note
from shared.redelivery import pinned, pushed_topics
from shared.state.documents import Documents
from shared.windows.markers import has_marker


class Kind(StrEnum):
    """What is kept."""

    RECORDS = "records"
    OBJECTS = "objects"
    MESSAGES = "messages"


class State(StrEnum):
    """How far a quarantined thing is."""

    OPEN = "open"
    ASKED = "asked"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class QuarantinePorts:
    """What quarantine is read from, and what asks again."""

    quarantine: Bucket
    notes: Documents
    """The quarantine bucket as JSON documents."""
    again: ReplayPorts
    clock: Clock


@dataclass(frozen=True, slots=True)
class Entry:
    """A quarantined thing. `reasons` counts records by reason, or holds the one reason of an object or message."""

    name: str
    kind: Kind
    kept_at: datetime
    reasons: Mapping[str, int]
    source: str | None = None
    window_id: str | None = None
    revision: int | None = None
    state: State = State.OPEN
    asked: Mapping[str, Any] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "kind": str(self.kind),
            "kept_at": to_text(self.kept_at),
            "source": self.source,
            "window": self.window_id,
            "revision": self.revision,
            "reasons": dict(self.reasons),
            "state": str(self.state),
            "asked": dict(self.asked) or None,
        }


def list_entries(
    ports: QuarantinePorts, *, kind: Kind | None = None, source: str | None = None, everything: bool = False, limit: int
) -> list[Entry]:
    """At most `limit` things, the newest first; those that were replayed only with `everything`."""
    stored = [s for s in _stored(ports.quarantine, kind) if source is None or _may_be_of(s.name, source)]
    entries: list[Entry] = []
    for described in sorted(stored, key=lambda s: (s.created_at, s.name), reverse=True):
        entry = _entry(ports, described)
        if (everything or entry.state is not State.REPLAYED) and source in (None, entry.source):
            entries.append(entry)
        if len(entries) == limit:
            break
    return entries


def find_entry(ports: QuarantinePorts, name: str) -> Entry:
    """The thing of that name. Raises ConfigurationError."""
    stored = ports.quarantine.stat(name) if name.startswith((RECORDS, OBJECTS, MESSAGES)) else None
    if stored is None:
        raise ConfigurationError([f"nothing in quarantine is named {name!r}; `quarantine list` shows the names"])
    return _entry(ports, stored)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking for one thing again: what was asked, or why it was not."""

    entry: Entry
    asked: str | None
    refused: str | None = None


def replay_entries(ports: QuarantinePorts, entries: Sequence[Entry]) -> list[Outcome]:
    """Ask for each thing again; one that cannot be is told with the reason, and the others go on.

    Files of records of one revision are one extraction.
    """
    outcomes = []
    extracted: dict[tuple[str, str, int], ExtractMessage] = {}
    for entry in entries:
        try:
            asked = _ask(ports, entry, extracted)
        except PermanentError as exc:
            outcomes.append(Outcome(entry, None, str(exc)))
            continue
        _remember(ports, entry, asked)
        outcomes.append(Outcome(entry, str(asked["how"])))
    return outcomes


def content_of(ports: QuarantinePorts, entry: Entry) -> bytes:
    """The thing itself."""
    found = ports.quarantine.read(entry.name)
    return found[0] if found is not None else b""


def _stored(bucket: Bucket, kind: Kind | None) -> Iterator[StoredObject]:
    prefixes = {Kind.RECORDS: RECORDS, Kind.OBJECTS: OBJECTS, Kind.MESSAGES: MESSAGES}
    for one, prefix in prefixes.items():
        if kind in (None, one):
            # beside the note of an object stands the object
            yield from (stored for stored in bucket.list(prefix) if stored.name.endswith((".json", ".jsonl")))


def _may_be_of(name: str, source: str) -> bool:
    return not name.startswith(RECORDS) or name.startswith(f"{RECORDS}{source}/")


def _entry(ports: QuarantinePorts, stored: StoredObject) -> Entry:
    found = ports.quarantine.read(stored.name)
    data = found[0] if found is not None else b"{}"
    if stored.name.startswith(RECORDS):
        lines = [json.loads(line) for line in data.splitlines()]
        # records/<source>/<window_id>/r<revision>/part-00000.<run_id>.jsonl
        _, source, window_id, revision, _ = stored.name.split("/")
        reasons = Counter(str(line["reason"]) for line in lines)
        entry = Entry(stored.name, Kind.RECORDS, stored.created_at, reasons, source, window_id, int(revision[1:]))
    elif stored.name.startswith(OBJECTS):
        note = json.loads(data)
        part = _part(note)
        where = (part.source, part.window_id, part.revision) if part else (None, None, None)
        entry = Entry(stored.name, Kind.OBJECTS, stored.created_at, {note["reason"]: 1}, *where)
    else:
        note = json.loads(data)
        message = _message(note, stored.created_at)
        attributes = message.attributes if message else {}
        entry = Entry(
            stored.name,
            Kind.MESSAGES,
            stored.created_at,
            {str(note["reason"]): 1},
            attributes.get("source"),
            _window_id(attributes.get("window")),
            int(revision) if (revision := attributes.get("revision", "")).isdigit() else None,
        )
    return _with_state(ports, entry, data)


def _part(note: Mapping[str, Any]) -> PartName | None:
    try:
        return PartName.parse(str(note["object"]))
    except RejectedObject:
        return None


def _message(note: Mapping[str, Any], kept_at: datetime) -> Message | None:
    try:
        return delivered_message(note["message"]["data"], str(note["subject"]), to_text(kept_at))
    except (MalformedMessage, KeyError, TypeError):
        return None


def _window_id(interval: str | None) -> str | None:
    end = (interval or "").partition("/")[2]
    return end.replace("-", "").replace(":", "")[:13] + "Z" if end else None


def _with_state(ports: QuarantinePorts, entry: Entry, data: bytes) -> Entry:
    note = ports.notes.get(replay_note(entry.name))
    if note is None:
        return entry
    state = State.REPLAYED if _came(ports, entry, note.value, data) else State.ASKED
    return Entry(
        entry.name, entry.kind, entry.kept_at, entry.reasons, entry.source, entry.window_id, entry.revision, state,
        note.value,
    )  # fmt: skip


def _came(ports: QuarantinePorts, entry: Entry, asked: Mapping[str, Any], data: bytes) -> bool:
    """Whether what was asked for is there: the revision complete, the object loaded."""
    documents = ports.again.documents
    if entry.kind is Kind.OBJECTS:
        part = _part(json.loads(data))
        return part is not None and has_marker(documents, part)
    if not asked.get("source") or not asked.get("window"):
        return False
    return revision_markers(documents, asked["source"], asked["window"], int(asked["revision"]))[1]


def _ask(ports: QuarantinePorts, entry: Entry, extracted: dict[tuple[str, str, int], ExtractMessage]) -> dict[str, Any]:
    match entry.kind:
        case Kind.RECORDS:
            return _ask_for_records(ports, entry, extracted)
        case Kind.OBJECTS:
            return _ask_for_object(ports, entry)
        case _:
            return _ask_for_message(ports, entry)


def _ask_for_records(
    ports: QuarantinePorts, entry: Entry, extracted: dict[tuple[str, str, int], ExtractMessage]
) -> dict[str, Any]:
    if entry.source is None or entry.window_id is None:
        raise ConfigurationError([f"{entry.name} names no window"])
    source = ports.again.registry.source(entry.source)
    if source.cursor == "existence":
        raise ConfigurationError(
            [f"{source.name} reads what is spooled, which is gone once it was drained; the records are whole in this "
             "file, and the source that polls the same objects brings their present state"]
        )  # fmt: skip
    key = (entry.source, entry.window_id, entry.revision or 0)
    if key not in extracted:
        extracted[key] = replay(ports.again, entry.source, entry.window_id, like=key[2])
    message = extracted[key]
    how = f"window {entry.window_id} of {entry.source} again, as revision {message.revision}"
    return {"how": how, "source": entry.source, "window": entry.window_id, "revision": message.revision}


def _ask_for_object(ports: QuarantinePorts, entry: Entry) -> dict[str, Any]:
    note = json.loads(content_of(ports, entry))
    name, generation, landing = str(note["object"]), int(note["generation"]), ports.again.landing
    PartName.parse(name)  # a stranger's object would be refused again
    stored = landing.stat(name) if note["bucket"] == landing.name else None
    if stored is None or stored.generation != generation:
        raise ConfigurationError(
            [f"{name} of generation {generation} is not in the landing bucket any more; extract its window again: "
             f"replay {entry.source} {entry.window_id}"]
        )  # fmt: skip
    ports.again.publisher.publish(LANDED_TOPIC, *landed_notification(landing.name, stored))
    return {"how": f"{name} announced again"}


def _ask_for_message(ports: QuarantinePorts, entry: Entry) -> dict[str, Any]:
    note = json.loads(content_of(ports, entry))
    message = _message(note, entry.kept_at)
    topic = _topic(ports, note, message) if message is not None else None
    if message is None or topic is None:
        raise ConfigurationError([f"{entry.name} does not say what it was for: nothing to publish again"])
    attributes = pinned(ports.again.registry, message.attributes, message.published_at)
    ports.again.publisher.publish(topic, attributes, message.data)
    asked: dict[str, Any] = {"how": f"published to {topic} again", "topic": topic}
    if attributes.get("source") and attributes.get("window"):
        asked |= {
            "source": attributes["source"],
            "window": _window_id(attributes["window"]),
            "revision": int(attributes.get("revision", "0")),
        }
    return asked


def _topic(ports: QuarantinePorts, note: Mapping[str, Any], message: Message) -> str | None:
    registry = ports.again.registry
    subscription = str(note["message"]["data"].get("subscription", "")).rpartition("/")[2]
    if subscription in pushed_topics(registry):
        return subscription
    source = registry.sources.get(message.attributes.get("source", ""))
    if source is not None:
        return source.topic
    return LANDED_TOPIC if message.attributes.get("eventType") else None


def _remember(ports: QuarantinePorts, entry: Entry, asked: Mapping[str, Any]) -> None:
    value = {**asked, "asked_at": to_text(ports.clock.now())}
    note, created = ports.notes.create(replay_note(entry.name), value)
    if not created:
        ports.notes.replace(note, {**value, "before": dict(note.value)})
