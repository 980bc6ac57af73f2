"""The extraction of one source's window, step by step in the order that loses and doubles nothing.

lease → expectations frozen → range frozen → for each part: read pages, validate, quarantine, one create-only upload →
next part, or a message that continues. Whoever finds a part already uploaded goes on from that part's own metadata:
two attempts cut parts differently, and following one's own cursor would skip rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared import logs
from shared.contracts import CONTRACTS
from shared.contracts.contract import Contract
from shared.crc32c import crc32c_base64
from shared.extract.credentials import Credentials
from shared.extract.draft import Draft, Reader
from shared.extract.frozen_range import freeze_range
from shared.extract.part import PartBuffer
from shared.extract.rate import RateLimit
from shared.extract.sender import Sender, WaitBeyondDeadline
from shared.landing import PartMetadata, PartName
from shared.messages import ExtractMessage
from shared.ports import Bucket, Clock, Http, Publisher, Secrets, Spool
from shared.quarantine import forget_records, keep_records, records_name
from shared.registry.load import Registry
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, Family, Rejection
from shared.state import layout
from shared.state.documents import Documents
from shared.state.lease import acquire
from shared.windows.draining import freeze_listing
from shared.windows.opening import open_window
from shared.windows.watermark import read_watermark
from shared.windows.window import Window

SOFT_DEADLINE_SECONDS = 420.0
# The function is stopped after 540 s (a push deadline is 600 s); a page with its
# retries (60 s of timeout, 30 s of backoff) and the upload must still fit after the soft deadline.

LEASE_SECONDS = 120.0
# Renewed between requests and during waits; after a kill the next delivery waits for this long at most.


@dataclass(frozen=True, slots=True)
class ExtractPorts:
    """What an extraction needs from the outside. `base_urls` overrides a family's address (local doubles)."""

    registry: Registry
    families: Mapping[str, Family]
    landing: Bucket
    quarantine: Bucket
    spool: Spool
    documents: Documents
    http: Http
    secrets: Secrets
    publisher: Publisher
    clock: Clock
    new_token: Callable[[], str]
    base_urls: Mapping[str, str] = field(default_factory=dict)
    rates: dict[tuple[str, int], RateLimit] = field(default_factory=dict)
    lease_seconds: float = LEASE_SECONDS
    soft_deadline_seconds: float = SOFT_DEADLINE_SECONDS


@dataclass(slots=True)
class ExtractSummary:
    """What one invocation did."""

    parts: int = 0
    rows: int = 0
    rejected: int = 0
    requests: int = 0
    continued: bool = False
    watermark_start: datetime | None = None
    """The source's watermark when the run began."""
    watermark_end: datetime | None = None
    """The highest version among the rows of this run."""


def extract_window(
    ports: ExtractPorts, source: Source, window: Window, *, revision: int, part: int, run_id: str
) -> ExtractSummary:
    """Extract the window's parts from `part` on, until the last one or the soft deadline.

    Raises LeaseHeld while another delivery works on it, TransientError and PermanentError as they come.
    """
    started_at = ports.clock.now()
    open_window(ports.documents, ports.registry, window, started_at)
    lease = acquire(
        ports.documents,
        ports.clock,
        layout.extract_lease(source.name, window.id, revision),
        holder=run_id,
        seconds=ports.lease_seconds,
    )
    summary = ExtractSummary()
    try:
        watermark = read_watermark(ports.documents, source.name)
        summary.watermark_start = watermark.value
        extraction = freeze_range(ports.documents, source, window, revision, watermark.value)
        if source.spool is not None:
            events = freeze_listing(ports.documents, ports.spool, window, source.spool)
            extraction = replace(extraction, events=events)
        run = _Run(
            ports,
            source,
            window,
            revision,
            run_id,
            extraction,
            started_at + timedelta(seconds=ports.soft_deadline_seconds),
            ports.families[source.family],
            _sender(ports, source, started_at, run_id, lease.keep),
        )
        logs.info(
            "extract.started",
            part=part,
            range_start=extraction.start,
            range_end=extraction.end,
            full=extraction.full,
            watermark=watermark.value,
        )
        run.follow(part, summary)
    finally:
        lease.release()
    return summary


def _sender(ports: ExtractPorts, source: Source, now: datetime, run_id: str, keep: Callable[[], None]) -> Sender:
    # one limit a key and kind of request: the workspaces of a vendor have a key each, its lists limits of their own
    limited = source.secret, source.requests_per_minute
    rate = ports.rates.setdefault(limited, RateLimit(source.requests_per_minute, ports.clock))
    return Sender(
        source,
        ports.base_urls.get(source.family, str(source.base_url)),
        ports.http,
        Credentials(source, ports.http, ports.secrets, ports.clock, _token_url(ports, source)),
        ports.clock,
        rate,
        now + timedelta(seconds=ports.soft_deadline_seconds),
        keep,
        {"accept": "application/json", "x-request-id": run_id, **source.headers},
    )


def _token_url(ports: ExtractPorts, source: Source) -> str | None:
    if source.auth.token_url is None:
        return None
    return ports.base_urls.get(f"{source.family}_auth", str(source.auth.token_url))


@dataclass(slots=True)
class _Run:
    """One invocation's walk over the parts of an extraction."""

    ports: ExtractPorts
    source: Source
    window: Window
    revision: int
    run_id: str
    extraction: ExtractionRange
    deadline: datetime
    family: Family
    sender: Sender
    verified: bool = False

    def follow(self, part: int, summary: ExtractSummary) -> None:
        """Go from part to part: those that exist are followed, the others built."""
        before = self._found(part - 1) if part else None
        if before is not None and before.last:
            logs.warning("extract.nothing_to_continue", part=part, message="the part before is the last one")
            return
        # a continuation whose predecessor is gone (expired by the bucket's lifecycle, say) starts over
        part, resume = (part, before.next_cursor) if before is not None else (0, "")
        while True:
            metadata = self._found(part)
            if metadata is None:
                metadata = self._build(self._name(part), resume, summary)
            else:
                logs.info("extract.part_found", part=part, rows=metadata.rows, last=metadata.last)
            if metadata.last:
                break
            part, resume = part + 1, metadata.next_cursor
            now = self.ports.clock.now()
            if now >= self.deadline or (metadata.not_before is not None and now < metadata.not_before):
                self._continue_by_message(part, metadata.not_before)
                summary.continued = True
                break
        summary.requests = self.sender.requests

    def _name(self, part: int) -> PartName:
        return PartName(self.source.name, self.window.id, self.revision, part)

    def _found(self, part: int) -> PartMetadata | None:
        name = self._name(part).object_name
        described = self.ports.landing.stat(name)
        return None if described is None else PartMetadata.from_mapping(name, described.metadata)

    def _build(self, name: PartName, resume: str, summary: ExtractSummary) -> PartMetadata:
        contract = CONTRACTS[self.source.contract]
        # before the first request: what the part says is at least as new as this
        observed_at = self.ports.clock.now()
        draft = self._read(contract, resume, self._constants(name, observed_at))
        if draft.unknown:
            logs.warning("extract.unknown_fields", fields=draft.unknown, message="new fields are kept in payload only")
        data = draft.buffer.close()
        metadata = PartMetadata(
            pipeline=self.window.pipeline,
            window=self.window,
            contract=contract.name,
            fingerprint=contract.fingerprint,
            run_id=self.run_id,
            rows=draft.buffer.rows,
            rejected=len(draft.rejections),
            last=draft.last,
            next_cursor="" if draft.last else draft.next_cursor,
            not_before=draft.not_before,
            range_start=self.extraction.start,
            range_end=self.extraction.end,
            watermark=self._watermark(draft),
            crc32c=crc32c_base64(data),
            observed_at=observed_at,
            scopes=tuple(draft.scopes),
        )
        return self._upload(name, data, metadata, draft.rejections, draft.skipped, summary)

    def _read(self, contract: Contract, resume: str, constants: dict[str, object]) -> Draft:
        reader = Reader(
            self.source,
            self.family,
            contract,
            self.extraction,
            self.sender,
            self.ports.clock,
            self.deadline,
            self.ports.spool,
        )
        nothing_to_ask = self.source.spool is not None and not self.extraction.events
        if not self.verified and not nothing_to_ask:
            try:
                self.family.verify(self.source, self.sender.send)
            except WaitBeyondDeadline as exc:
                return Draft(PartBuffer(contract), resume, last=False, not_before=exc.until)
            self.verified = True
        return reader.read(resume, constants)

    def _watermark(self, draft: Draft) -> datetime | None:
        # where whole days or snapshots are read, a day without rows is as read as any other
        if self.source.cursor in ("day", "snapshot"):
            return self.extraction.end if draft.last else None
        # events come in any order, and what they make us read is of any age: polling's own watermark is its own
        return None if self.source.cursor == "existence" else draft.highest

    def _upload(
        self,
        name: PartName,
        data: bytes,
        metadata: PartMetadata,
        rejections: list[Rejection],
        skipped: int,
        summary: ExtractSummary,
    ) -> PartMetadata:
        if rejections:
            keep_records(self.ports.quarantine, name, self.run_id, rejections)
            logs.error(
                "extract.records_quarantined",
                part=name.part,
                records=len(rejections),
                reasons={rejection.reason for rejection in rejections},
                examples=[rejection.detail for rejection in rejections[:3]],
                message=f"{len(rejections)} records break the contract; see {records_name(name, self.run_id)}",
            )
        creation = self.ports.landing.create(
            name.object_name, data, owner=self.ports.new_token(), metadata=metadata.to_mapping()
        )
        if not creation.created:
            logs.info(
                "extract.part_found", part=name.part, message="another attempt was faster; going on from its part"
            )
            if rejections:
                forget_records(self.ports.quarantine, name, self.run_id)
            return PartMetadata.from_mapping(name.object_name, creation.object.metadata)
        summary.parts += 1
        summary.rows += metadata.rows
        summary.rejected += metadata.rejected
        summary.watermark_end = max((w for w in (summary.watermark_end, metadata.watermark) if w), default=None)
        logs.info(
            "extract.part_landed",
            part=name.part,
            rows=metadata.rows,
            rejected=metadata.rejected,
            skipped=skipped,
            last=metadata.last,
            bytes=len(data),
            watermark=metadata.watermark,
        )
        return metadata

    def _continue_by_message(self, part: int, not_before: datetime | None) -> None:
        message = ExtractMessage(self.source.name, revision=self.revision).continued(self.window, part, not_before)
        self.ports.publisher.publish(self.source.topic, message.attributes())
        logs.info("extract.continued_by_message", part=part, not_before=not_before)

    def _constants(self, name: PartName, observed_at: datetime) -> dict[str, object]:
        return {
            "_is_deleted": False,
            "_source": self.source.name,
            "_window_id": self.window.id,
            "_source_file": name.object_name,
            "_run_id": self.run_id,
            "_observed_at": observed_at,
        }
