"""The sweep: one repair after another, each of what one kind of lost event leaves behind. Safe to repeat.

It repairs by the ordinary way: by publishing the message that was lost, or that is due again. What it cannot repair it
names, one log event a kind, for an alert to be made of it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.state import layout
from shared.state.documents import Documents
from shared.sweep.dead_letters import redrive_dead_letters
from shared.sweep.expired_leases import name_expired_leases
from shared.sweep.failed_daily_sources import ask_failed_daily_sources
from shared.sweep.missed_ticks import publish_missed_ticks
from shared.sweep.overdue_windows import settle_overdue_windows
from shared.sweep.pending_builds import start_pending_builds
from shared.sweep.round import GRACE_MINUTES, Round, SweepPorts, SweepSummary
from shared.sweep.spool_leftovers import name_spool_leftovers
from shared.sweep.unmarked_objects import announce_unmarked_objects
from shared.windows.window import id_of_end

__all__ = ["GRACE_MINUTES", "SweepPorts", "SweepSummary", "sweep"]

# windows close before their sources are asked again, and builds are started once everything else has asked for its own
_REPAIRS: tuple[Callable[[Round], None], ...] = (
    announce_unmarked_objects,
    settle_overdue_windows,
    publish_missed_ticks,
    ask_failed_daily_sources,
    redrive_dead_letters,
    name_expired_leases,
    name_spool_leftovers,
    start_pending_builds,
)


_RECENT = timedelta(days=31)
# Far beyond the two and a half hours in which Pub/Sub tries; what is older (a replay of an old window) waits for a day.


def sweep(ports: SweepPorts) -> SweepSummary:
    """One round. A failure of one repair is logged and counted, and the others go on."""
    now = ports.closing.clock.now()
    round_ = Round(ports, now, _looked_at_since(ports.closing.documents, now))
    for repair in _REPAIRS:
        with round_.kind(repair.__name__):
            repair(round_)
    return round_.summary


def _looked_at_since(documents: Documents, now: datetime) -> str:
    # windows every five minutes leave hundreds of thousands of objects in half a year: they are listed once a day
    first_of_the_day = documents.create(layout.whole_look(f"{now:%Y%m%d}"), {})[1]
    return "" if first_of_the_day else id_of_end(now - _RECENT)
