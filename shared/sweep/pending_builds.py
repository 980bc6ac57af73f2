"""dbt requests that wait though nobody builds: the job is started."""

from shared.state import layout
from shared.sweep.round import Round
from shared.windows.closing import start_job_if_needed


def start_pending_builds(sweep: Round) -> None:
    """Start the job while requests are pending and no builder holds the lease."""
    if any(sweep.documents.names(layout.REQUESTS)):
        sweep.summary.job_started = start_job_if_needed(sweep.ports.closing)
