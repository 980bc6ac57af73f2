"""Loading one landed object: checked, copied and merged once, marked, and its window settled.

Nothing is acknowledged early: an object that is loaded already goes on at its marker, so a delivery that died anywhere
is finished by the next one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared import logs
from shared.contracts import CONTRACTS
from shared.errors import PermanentError, RejectedObject
from shared.landing import PartMetadata, PartName
from shared.messages import LandedMessage
from shared.ports import Bucket, Clock, LandedPart, LoadedRows, PipelineRun, Warehouse
from shared.quarantine import keep_object
from shared.registry.load import Registry
from shared.state.documents import Documents
from shared.state.runs import RunUnderWay, is_quiet, keep_run
from shared.windows.closing import ClosingPorts, settle_window
from shared.windows.markers import PartMarker, has_marker, write_marker


@dataclass(frozen=True, slots=True)
class LoadPorts:
    """What loading needs from the outside."""

    registry: Registry
    landing: Bucket
    quarantine: Bucket
    warehouse: Warehouse
    clock: Clock
    new_token: Callable[[], str]
    closing: ClosingPorts


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """What one invocation did."""

    subject: dict[str, str | int]
    """What was loaded, as log fields."""
    rows: int
    rejected: int
    loaded: LoadedRows | None
    """None for a part without rows: the warehouse was not asked."""
    watermark: datetime | None
    """The highest version in the part."""
    window_status: str | None


def load_object(ports: LoadPorts, message: LandedMessage, *, run_id: str) -> LoadSummary:
    """Load the object that the notification names, and settle its window.

    Raises RejectedObject after the object was put into quarantine, TransientError and WarehouseRefused as they come.
    What became of it is kept for PIPELINE_RUNS, also of a run that fails at an object that may be loaded.
    """
    started_at = ports.clock.now()
    try:
        name, metadata = _checked(ports, message)
    except RejectedObject as exc:
        keep_object(
            ports.quarantine, ports.landing, message.object_name, message.generation, str(exc), ports.new_token()
        )
        raise
    subject: dict[str, str | int] = {
        "source": name.source,
        "pipeline": metadata.pipeline,
        "window": name.window_id,
        "revision": name.revision,
        "part": name.part,
    }
    documents = ports.closing.documents
    with logs.bound(**subject):
        loaded: LoadedRows | None = None

        under_way = RunUnderWay("load", run_id, name.source, metadata.window, name.revision, started_at)

        def told(error: Exception | None) -> PipelineRun:
            return _told(under_way, name.part, metadata, loaded, ports.clock.now(), error)

        try:
            # a whole scope without rows says that the rows it had are gone
            if metadata.rows or metadata.scopes:
                loaded = _load(ports, message, name, metadata)
            _keep_done(documents, told(None), name, loaded)
            marker = PartMarker(
                source=name.source,
                window_id=name.window_id,
                revision=name.revision,
                part=name.part,
                generation=message.generation,
                rows=metadata.rows,
                rejected=metadata.rejected,
                last=metadata.last,
                watermark=metadata.watermark,
            )
            if write_marker(documents, marker):
                logs.info("load.part_marked", rows=metadata.rows, last=metadata.last)
            outcome = settle_window(ports.closing, metadata.window)
        except Exception as exc:
            keep_run(documents, told(exc))
            raise
    status = outcome.status if outcome is not None else None
    return LoadSummary(subject, metadata.rows, metadata.rejected, loaded, metadata.watermark, status)


def _keep_done(documents: Documents, run: PipelineRun, name: PartName, loaded: LoadedRows | None) -> None:
    """Keep a run that has loaded, before the part is marked and its window closes.

    The build that a closed window starts compares what landed with what was loaded; and a part that has its marker was
    told of before, so that its later deliveries need not be.
    """
    if (loaded is not None and not loaded.already_loaded) or (not is_quiet(run) and not has_marker(documents, name)):
        keep_run(documents, run)


def _told(
    under_way: RunUnderWay,
    part: int,
    metadata: PartMetadata,
    loaded: LoadedRows | None,
    now: datetime,
    error: Exception | None,
) -> PipelineRun:
    return under_way.ended(
        now,
        error,
        parts=(part, part),
        full=metadata.full,
        records=metadata.records,
        rows_landed=metadata.rows,
        rows_loaded=loaded.copied if loaded else 0,
        watermarks=(None, metadata.watermark),
    )


def _checked(ports: LoadPorts, message: LandedMessage) -> tuple[PartName, PartMetadata]:
    if message.bucket != ports.landing.name:
        raise RejectedObject(f"notification of bucket {message.bucket!r}; this loader reads {ports.landing.name!r}")
    name = PartName.parse(message.object_name)
    metadata = PartMetadata.from_mapping(message.object_name, message.metadata)
    try:
        source = ports.registry.source(name.source)
    except PermanentError as exc:
        raise RejectedObject(f"object {message.object_name!r}: {exc}") from exc
    claims = {
        "window": (metadata.window.id, name.window_id),
        "pipeline": (metadata.pipeline, source.pipeline),
        "contract": (metadata.contract, source.contract),
        "crc32c": (metadata.crc32c, message.crc32c),
    }
    for claim, (stated, actual) in claims.items():
        if stated != actual:
            raise RejectedObject(
                f"object {message.object_name!r} states {claim} {stated!r}, but it is {actual!r}; extract the window "
                "again as a new revision"
            )
    return name, metadata


def _load(ports: LoadPorts, message: LandedMessage, name: PartName, metadata: PartMetadata) -> LoadedRows:
    contract = CONTRACTS[metadata.contract]
    if metadata.fingerprint != contract.fingerprint:
        logs.warning(
            "load.contract_differs",
            message="the file was written by another version of the contract; columns are matched by name",
        )
    part = LandedPart(
        object_name=name.object_name,
        generation=message.generation,
        pipeline=metadata.pipeline,
        source=name.source,
        window_id=name.window_id,
        revision=name.revision,
        part=name.part,
        rows=metadata.rows,
        run_id=metadata.run_id,
        observed_at=metadata.observed_at,
        scopes=metadata.scopes,
    )
    loaded = ports.warehouse.load_part(contract, part, loaded_at=ports.clock.now())
    event = "load.already_loaded" if loaded.already_loaded else "load.merged"
    logs.info(event, rows=metadata.rows, inserted=loaded.inserted, updated=loaded.updated, vanished=loaded.vanished)
    return loaded
