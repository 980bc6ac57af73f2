"""Cloud Run job: build whatever window is pending, once. Exit code 0 also when another execution builds."""

import argparse
import sys
from pathlib import Path

from shared import logs
from shared.errors import PermanentError, TransientError
from shared.transform.run import build_pending
from shared.wiring.transform import transform_ports


def main(arguments: list[str]) -> int:
    """The job's exit code: 0 done or not needed, 1 the build failed, 2 the job itself could not work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full-refresh", action="store_true", help="rebuild incremental models from RAW")
    chosen = parser.parse_args(arguments)
    try:
        with transform_ports(Path(__file__).parent) as ports:
            return build_pending(ports, full_refresh=chosen.full_refresh)
    except (TransientError, PermanentError) as exc:
        logs.error("run.failed", exc, step="transform", message=str(exc))
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
