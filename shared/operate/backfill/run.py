"""Carrying a backfill out: its chunks are frozen, published a few at a time, and waited for. Running it again goes on.

plan frozen → for each chunk: a revision reserved with the range that it reads → message → its part markers. Whoever
runs the same backfill again finds the plan and the reserved revisions, and publishes what is not complete: an
extraction that is under way holds its lease, one that died goes on from its parts.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import ConfigurationError, NotYet
from shared.extract.frozen_range import reserve_range, reserved_revision
from shared.instants import to_text
from shared.messages import ExtractMessage
from shared.operate.backfill.plan import Chunk, SourcePlan
from shared.operate.revisions import next_revision, revision_markers
from shared.ports import Bucket, Clock, Publisher
from shared.registry.load import Registry
from shared.state import layout
from shared.state.documents import Documents

POLL_SECONDS = 2.0
PATIENCE = timedelta(minutes=45)
# An extraction that continues by message brings a part every seven minutes; a source that is down for longer than this
# is better waited for without a terminal.


@dataclass(frozen=True, slots=True)
class BackfillPorts:
    """What a backfill needs from the outside."""

    registry: Registry
    documents: Documents
    landing: Bucket
    publisher: Publisher
    clock: Clock
    poll_seconds: float = POLL_SECONDS
    patience: timedelta = PATIENCE


@dataclass(frozen=True, slots=True)
class ChunkState:
    """A chunk and what there is of it. `revision` is None until it was published for the first time."""

    chunk: Chunk
    revision: int | None = None
    parts: int = 0
    rows: int = 0
    done: bool = False


@dataclass(slots=True)
class Backfill:
    """A backfill of one source that has begun: its name with the attempt's number, and its chunks."""

    plan: SourcePlan
    name: str
    chunks: list[ChunkState] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether every chunk is complete."""
        return all(state.done for state in self.chunks)


def look_up(ports: BackfillPorts, plan: SourcePlan, *, again: bool = False) -> Backfill:
    """The newest attempt at this plan, with what is done of it; one that never began when there is none.

    `again` asks for one more attempt when the newest is complete. Nothing is written.
    """
    attempt, found = 1, None
    while (document := ports.documents.get(layout.backfill(plan.source, _name(plan, attempt)))) is not None:
        found, attempt = document, attempt + 1
    if found is not None:
        pipeline = ports.registry.source(plan.source).pipeline
        chunks = tuple(Chunk.from_json(plan.source, pipeline, value) for value in found.value["chunks"])
        name = _name(plan, attempt - 1)
        known = Backfill(plan, name, [_state(ports, name, chunk) for chunk in chunks])
        if not (again and known.done):
            return known
    name = _name(plan, attempt)
    return Backfill(plan, name, [ChunkState(chunk) for chunk in plan.chunks])


def carry_out(
    ports: BackfillPorts, backfills: Sequence[Backfill], *, parallel: int, told: Callable[[ChunkState], None]
) -> None:
    """Publish every chunk that is not complete, `parallel` at a time, oldest first, and wait for all of them.

    `told` hears of a chunk when it was published, when a part more is there, and when it is done. Raises NotYet when
    nothing more came for `patience`: running the same backfill again goes on.
    """
    if parallel < 1:
        raise ConfigurationError([f"backfill: {parallel} chunks at a time; give at least 1"])
    for backfill in backfills:
        _freeze(ports, backfill)
    waiting = deque(
        (backfill.name, state)
        for _, backfill, state in sorted(
            ((state.chunk.number, backfill, state) for backfill in backfills for state in backfill.chunks),
            key=lambda entry: (entry[0], entry[1].plan.source),
        )
        if not state.done
    )
    under_way: list[tuple[str, ChunkState]] = []
    quiet_since = ports.clock.now()
    while waiting or under_way:
        while waiting and len(under_way) < parallel:
            name, state = waiting.popleft()
            state = _publish(ports, name, state.chunk)
            told(state)
            under_way.append((name, state))
        still = []
        for name, before in under_way:
            after = _state_of(ports, before.chunk, before.revision or 0)
            if after != before:
                quiet_since = ports.clock.now()
                told(after)
            if not after.done:
                still.append((name, after))
        freed = len(still) < len(under_way)
        under_way = still
        if under_way and not (freed and waiting):
            _be_patient(ports, under_way, quiet_since)
            ports.clock.sleep(ports.poll_seconds)


def _be_patient(ports: BackfillPorts, under_way: Sequence[tuple[str, ChunkState]], quiet_since: datetime) -> None:
    if ports.clock.now() - quiet_since < ports.patience:
        return
    stuck = ", ".join(f"{s.chunk.source} {s.chunk.window.id} revision {s.revision}" for _, s in under_way)
    raise NotYet(
        f"backfill: nothing more came for {ports.patience.total_seconds() / 60:g} minutes of {stuck}; look for these "
        "in the logs, `quarantine list` and `dead-letters list`, then run the same backfill again: it goes on"
    )


def _name(plan: SourcePlan, attempt: int) -> str:
    return plan.name if attempt == 1 else f"{plan.name}-{attempt}"


def _freeze(ports: BackfillPorts, backfill: Backfill) -> None:
    value = {"began_at": to_text(ports.clock.now()), "chunks": [state.chunk.to_json() for state in backfill.chunks]}
    document, created = ports.documents.create(layout.backfill(backfill.plan.source, backfill.name), value)
    if not created and document.value["chunks"] != value["chunks"]:
        raise ConfigurationError(
            [f"backfill {backfill.name} of {backfill.plan.source} was begun by somebody else meanwhile; run it again"]
        )


def _purpose(name: str, chunk: Chunk) -> str:
    return f"backfill {name} chunk {chunk.number}"


def _publish(ports: BackfillPorts, name: str, chunk: Chunk) -> ChunkState:
    purpose = _purpose(name, chunk)
    revision = reserved_revision(ports.documents, chunk.source, chunk.window.id, purpose)
    while revision is None:
        candidate = next_revision(ports.documents, ports.landing, chunk.source, chunk.window.id)
        if reserve_range(ports.documents, chunk.source, chunk.window.id, candidate, chunk.extraction, purpose):
            revision = candidate
    source = ports.registry.source(chunk.source)
    message = ExtractMessage(source.name, chunk.window.interval, revision=revision)
    ports.publisher.publish(source.topic, message.attributes())
    return _state_of(ports, chunk, revision)


def _state(ports: BackfillPorts, name: str, chunk: Chunk) -> ChunkState:
    revision = reserved_revision(ports.documents, chunk.source, chunk.window.id, _purpose(name, chunk))
    return ChunkState(chunk) if revision is None else _state_of(ports, chunk, revision)


def _state_of(ports: BackfillPorts, chunk: Chunk, revision: int) -> ChunkState:
    markers, done = revision_markers(ports.documents, chunk.source, chunk.window.id, revision)
    return ChunkState(chunk, revision, len(markers), sum(marker.rows for marker in markers), done)
