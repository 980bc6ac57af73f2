"""A person's hold on dbt: RAW goes on, windows close and ask for builds, and the marts stay as they are until released.

It outlasts jobs, unlike the lease, and a build that is under way ends as usual.
"""

from datetime import datetime

from shared.instants import to_text
from shared.state import layout
from shared.state.documents import Document, Documents


def builds_hold(documents: Documents) -> Document | None:
    """The hold, with `since` and `reason`; None when builds go on."""
    return documents.get(layout.BUILDS_HOLD)


def hold_builds(documents: Documents, reason: str, now: datetime) -> Document:
    """Hold them; a hold that is there already stays as it is. Returns the one that holds."""
    return documents.create(layout.BUILDS_HOLD, {"since": to_text(now), "reason": reason})[0]


def release_builds(documents: Documents) -> None:
    """Let them go on, if they were held. What waits is built with the next window that closes, or by the sweep."""
    held = builds_hold(documents)
    if held is not None:
        documents.delete(held)
