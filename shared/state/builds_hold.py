"""A person's hold on dbt: RAW goes on, windows close and ask for builds, and the marts stay as they are until released.

It outlasts jobs, unlike the lease, and a build that is under way ends as usual.
"""

from datetime import datetime

from shared import logs
from shared.instants import to_text
from shared.state import layout
from shared.state.documents import Document, Documents


def builds_hold(documents: Documents) -> Document | None:
    """The hold, with `since` and `reason`; None when builds go on."""
    return documents.get(layout.BUILDS_HOLD)


def builds_are_held(documents: Documents) -> bool:
    """Whether they are; then the log says so, to whoever wonders why nothing is built."""
    hold = builds_hold(documents)
    if hold is not None:
        since, reason = hold.value["since"], hold.value["reason"]
        told = f"builds are held since {since}: {reason}. To let them go on: make builds ARGS=release"
        logs.warning("dbt.held", message=told, since=since, reason=reason)
    return hold is not None


def hold_builds(documents: Documents, reason: str, now: datetime) -> Document:
    """Hold them; a hold that is there already stays as it is. Returns the one that holds."""
    return documents.create(layout.BUILDS_HOLD, {"since": to_text(now), "reason": reason})[0]


def release_builds(documents: Documents) -> None:
    """Let them go on, if they were held. What waits is built with the next window that closes, or by the sweep."""
    documents.discard(layout.BUILDS_HOLD)
