"""What events lost, found again: the sweep function."""

import time

import functions_framework
from cloudevents.http import CloudEvent
from flask import request

from shared import logs, wiring
from shared.delivery import deliver
from shared.messages import Message
from shared.sweep.run import sweep as run_sweep
from shared.trace import cloud_trace
from shared.wiring.sweep import sweep_ports


@functions_framework.cloud_event
def sweep(event: CloudEvent) -> None:
    """The schedule ticked: look for what events lost."""
    trace = cloud_trace(wiring.settings().project, request.headers.get("X-Cloud-Trace-Context"))
    deliver(event, _sweep, run_id=wiring.new_token(), trace=trace, quarantine=wiring.quarantine_bucket())


def _sweep(_message: Message, _run_id: str) -> None:
    started = time.monotonic()
    summary = run_sweep(sweep_ports())
    logs.info(
        "run.finished",
        step="sweep",
        status="failed" if summary.failures else "done",
        republished=summary.republished,
        windows_settled=summary.windows_settled,
        failures=summary.failures,
        job_started=summary.job_started,
        seconds=round(time.monotonic() - started, 3),
    )
