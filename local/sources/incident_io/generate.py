"""`python -m local.sources.incident_io.generate`: write an archive of made-up incidents."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from local.sources.incident_io.archive import archive_lines
from local.sources.incident_io.generator import COMPONENTS, generate


def _instant(text: str) -> datetime:
    """An instant; a bare date is its UTC midnight."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the archive to --out (`-` is standard output) and say on standard error how many incidents it has."""
    parser = argparse.ArgumentParser(prog="python -m local.sources.incident_io.generate", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--start", type=_instant, required=True, help="2026-01-01 or 2026-01-01T00:00:00Z, inclusive")
    parser.add_argument("--end", type=_instant, required=True, help="exclusive; histories stand as they did then")
    parser.add_argument("--per-day", type=float, default=4.0, help="mean incidents a day (default 4)")
    parser.add_argument("--deleted", type=float, default=0.0, help="share that is deleted days later (default 0)")
    parser.add_argument("--component", action="append", help=f"repeatable (default: {', '.join(COMPONENTS)})")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    components = tuple(arguments.component or COMPONENTS)
    try:
        incidents = generate(
            arguments.seed, arguments.start, arguments.end, arguments.per_day, components, deleted=arguments.deleted
        )
        lines = list(archive_lines(incidents))
    except ValueError as error:
        parser.error(str(error))
    if str(arguments.out) == "-":
        sys.stdout.buffer.writelines(lines)
    else:
        with arguments.out.open("wb") as out:
            out.writelines(lines)
    print(f"{len(lines)} incidents", file=sys.stderr)


if __name__ == "__main__":
    main()
