"""`python -m shared.operate COMMAND`: what a person asks of the platform that the environment names, or tells it.

Exit codes: 0 done; 1 refused, or found wrong; 2 the command line is wrong; 75 not now, try again; 130 interrupted.
"""

import argparse
import sys

from shared.errors import PipelineError, TransientError
from shared.operate.commands import backfill, builds, dead_letters, doctor, quarantine, replay, status

TEMPORARY = 75
# EX_TEMPFAIL of sysexits.h
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    told = argparse.ArgumentParser(prog="python -m shared.operate", description=__doc__)
    commands = told.add_subparsers(dest="command", required=True)
    for command in (status, replay, backfill, builds, quarantine, dead_letters, doctor):
        command.add(commands)
    return told


def main(arguments: list[str]) -> int:
    """The command line; the exit code."""
    chosen = parser().parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except TransientError as exc:
        print(f"{exc}\nTry again in a while.", file=sys.stderr)
        return TEMPORARY
    except PipelineError as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nInterrupted. What was published goes on by itself; run the same command again to go on.", file=sys.stderr
        )
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
