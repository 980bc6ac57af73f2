"""One message, one source's window, Parquet: the extract function."""

import time

import functions_framework
from cloudevents.http import CloudEvent
from flask import request

from shared import logs, wiring
from shared.delivery import deliver
from shared.errors import NotYet
from shared.extract.run import extract_window
from shared.messages import ExtractMessage, Message
from shared.trace import cloud_trace
from shared.windows.schedule import window_at
from shared.windows.window import Window
from shared.wiring.extract import extract_ports


@functions_framework.cloud_event
def extract(event: CloudEvent) -> None:
    """A tick, continuation or replay arrived: extract what it asks for."""
    trace = cloud_trace(wiring.settings().project, request.headers.get("X-Cloud-Trace-Context"))
    deliver(event, _extract, run_id=wiring.new_token(), trace=trace, quarantine=wiring.quarantine_bucket())


def _extract(message: Message, run_id: str) -> None:
    started = time.monotonic()
    asked = ExtractMessage.parse(message.attributes)
    ports = extract_ports()
    if asked.not_before is not None and ports.clock.now() < asked.not_before:
        raise NotYet(f"{asked.source}: this part may not be read before {asked.not_before}")
    source = ports.registry.source(asked.source)
    pipeline = ports.registry.pipeline_of(source)
    window = (
        Window.from_interval(pipeline.name, asked.interval)
        if asked.interval
        else window_at(pipeline.name, pipeline.cron, message.published_at)
    )
    with logs.bound(source=source.name, pipeline=pipeline.name, window=window.id, revision=asked.revision):
        summary = extract_window(ports, source, window, revision=asked.revision, part=asked.part, run_id=run_id)
        logs.info(
            "run.finished",
            step="extract",
            status="continued" if summary.continued else "done",
            rows_extracted=summary.rows,
            rows_rejected=summary.rejected,
            parts=summary.parts,
            requests=summary.requests,
            watermark_start=summary.watermark_start,
            watermark_end=summary.watermark_end,
            seconds=round(time.monotonic() - started, 3),
        )
