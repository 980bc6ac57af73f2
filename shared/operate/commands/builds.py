"""`builds`: hold dbt, and let it go on."""

import argparse
from typing import Any

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.state import layout
from shared.state.builds_hold import builds_hold, hold_builds, release_builds


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser("builds", help="whether dbt is held; hold it, or let it go on")
    actions = parser.add_subparsers(dest="action")
    hold = actions.add_parser("hold", help="let windows load and close, and build none of them")
    hold.add_argument("reason", help="what it is for: status and the log show it")
    actions.add_parser("release", help="let dbt go on")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Hold, release, or say how it is."""
    documents = wiring.documents()
    if chosen.action == "hold":
        hold_builds(documents, chosen.reason, SystemClock().now())
    elif chosen.action == "release":
        release_builds(documents)
    held = builds_hold(documents)
    print(
        f"builds are held since {held.value['since']}: {held.value['reason']}"
        if held
        else "builds go on: what waits begins with the next window that closes, or the next sweep"
    )
    print(f"{sum(1 for _ in documents.names(layout.REQUESTS))} pending requests")
    return 0
