"""`status`: windows, sources, watermarks, pending dbt requests, quarantine."""

import argparse
import json
from typing import Any

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.operate.status import StatusPorts, as_text, status
from shared.registry import registry


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser("status", help="windows, sources, watermarks, pending dbt requests, quarantine")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--windows", type=int, default=5, metavar="N", help="how many windows a pipeline")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print the picture."""
    ports = StatusPorts(registry(), wiring.documents(), wiring.quarantine_bucket())
    picture = status(ports, SystemClock().now(), windows=chosen.windows)
    print(json.dumps(picture, indent=2) if chosen.json else as_text(picture))
    return 0
