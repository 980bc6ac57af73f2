"""`replay`: a window of a source again, as the next revision."""

import argparse
import json
from typing import Any

from shared import wiring
from shared.adapters.pubsub import PubSubPublisher
from shared.operate.replay import ReplayPorts, replay
from shared.registry import registry


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser("replay", help="extract a window of a source again, as the next revision")
    parser.add_argument("source")
    parser.add_argument("window", help="its id (20261120T0700Z) or start/end")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def replay_ports() -> ReplayPorts:
    """The adapters of a replay."""
    settings = wiring.settings()
    return ReplayPorts(
        registry(), wiring.documents(), wiring.bucket(settings.landing_bucket), PubSubPublisher(settings.project)
    )


def run(chosen: argparse.Namespace) -> int:
    """Ask for it."""
    message = replay(replay_ports(), chosen.source, chosen.window)
    if chosen.json:
        print(json.dumps(message.attributes()))
    else:
        print(f"asked for revision {message.revision} of {message.source}, window {message.interval}")
    return 0
