"""One landed object, COPY and MERGE, its window, dbt: the load function."""

import time

import functions_framework
from cloudevents.http import CloudEvent
from flask import request

from shared import logs, wiring
from shared.delivery import deliver
from shared.load.run import load_object
from shared.messages import LandedMessage, Message, notified_object
from shared.trace import cloud_trace
from shared.wiring.load import load_ports


@functions_framework.cloud_event
def load(event: CloudEvent) -> None:
    """A Parquet object was finalised in the landing bucket: load it once."""
    trace = cloud_trace(wiring.settings().project, request.headers.get("X-Cloud-Trace-Context"))
    deliver(
        event,
        _load,
        run_id=wiring.new_token(),
        trace=trace,
        quarantine=wiring.quarantine_bucket(),
        subject_of=notified_object,
    )


def _load(message: Message, _run_id: str) -> None:
    started = time.monotonic()
    landed = LandedMessage.parse(message)
    summary = load_object(load_ports(), landed)
    with logs.bound(**summary.subject):
        logs.info(
            "run.finished",
            step="load",
            status="already_loaded" if summary.loaded and summary.loaded.already_loaded else "done",
            rows_loaded=summary.rows,
            rows_rejected=summary.rejected,
            inserted=summary.loaded.inserted if summary.loaded else 0,
            updated=summary.loaded.updated if summary.loaded else 0,
            watermark_end=summary.watermark,
            window_status=summary.window_status,
            seconds=round(time.monotonic() - started, 3),
        )
