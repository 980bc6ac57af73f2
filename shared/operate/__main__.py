"""`python -m shared.operate COMMAND`: status and replay of the platform that the environment names."""

import argparse
import json
import sys

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.adapters.pubsub import PubSubPublisher
from shared.errors import PipelineError
from shared.operate.replay import ReplayPorts, replay
from shared.operate.status import StatusPorts, as_text, status
from shared.registry import registry


def main(arguments: list[str]) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.operate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("status", help="windows, sources, watermarks, pending dbt requests, quarantine")
    show.add_argument("--json", action="store_true", help="as JSON")
    show.add_argument("--windows", type=int, default=5, metavar="N", help="how many windows a pipeline")
    again = commands.add_parser("replay", help="extract a window of a source again, as the next revision")
    again.add_argument("source")
    again.add_argument("window", help="its id (20261120T0700Z) or start/end")
    again.add_argument("--json", action="store_true", help="as JSON")
    chosen = parser.parse_args(arguments)
    try:
        return _status(chosen) if chosen.command == "status" else _replay(chosen)
    except PipelineError as exc:
        print(exc, file=sys.stderr)
        return 1


def _status(chosen: argparse.Namespace) -> int:
    ports = StatusPorts(registry(), wiring.documents(), wiring.quarantine_bucket())
    picture = status(ports, SystemClock().now(), windows=chosen.windows)
    print(json.dumps(picture, indent=2) if chosen.json else as_text(picture))
    return 0


def _replay(chosen: argparse.Namespace) -> int:
    settings = wiring.settings()
    ports = ReplayPorts(
        registry(), wiring.documents(), wiring.bucket(settings.landing_bucket), PubSubPublisher(settings.project)
    )
    message = replay(ports, chosen.source, chosen.window)
    if chosen.json:
        print(json.dumps(message.attributes()))
    else:
        print(f"asked for revision {message.revision} of {message.source}, window {message.interval}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
