"""Events that no window has drained within an hour: a source of their workspace fails, or nothing reads them."""

from collections import Counter
from datetime import datetime, timedelta

from shared import logs
from shared.sweep.round import Round

_LEFTOVER_AGE = timedelta(hours=1)
# A window drains what it listed within its deadline of 15 minutes, else the windows after it do.


def name_spool_leftovers(sweep: Round) -> None:
    """Name each workspace whose events wait for too long; the windows to come read them, if their sources can."""
    old = sweep.now - _LEFTOVER_AGE
    oldest: dict[str, datetime] = {}
    count: Counter[str] = Counter()
    for stored in sweep.ports.closing.spool.list(""):
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
    sweep.summary.spool_leftovers = count.total()
