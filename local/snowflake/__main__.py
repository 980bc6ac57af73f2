"""`python -m local.snowflake --port 8084 --db-path .local/warehouse --stage-root gcs://bucket=DIR`"""

import argparse
import logging
import sys
from pathlib import Path

from local.snowflake.pins import WrongVersion
from local.snowflake.server import Options, serve


def options(arguments: list[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m local.snowflake", description="A local stand-in for Snowflake.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8084)
    parser.add_argument("--db-path", type=Path, required=True, help="directory of the database files; made if missing")
    parser.add_argument(
        "--stage-root", action="append", default=[], type=_stage_root, metavar="URL=DIR",
        help="where the files of a bucket are, as gcs://bucket=DIR; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--idle-transaction-seconds", type=float, default=10.0, help="roll back a transaction idle for longer"
    )
    parser.add_argument("--memory-limit", default="4GB", help="DuckDB's; what needs more spills to disk")
    given = parser.parse_args(arguments)
    return Options(
        db_path=given.db_path,
        port=given.port,
        host=given.host,
        stage_roots=dict(given.stage_root),
        idle_transaction_seconds=given.idle_transaction_seconds,
        memory_limit=given.memory_limit,
    )


def _stage_root(text: str) -> tuple[str, Path]:
    url, separator, directory = text.partition("=")
    if not separator or "://" not in url or not directory:
        raise argparse.ArgumentTypeError(f"{text!r} is not URL=DIR, as in gcs://bucket=./files")
    return url, Path(directory).resolve()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    try:
        serve(options())
    except WrongVersion as error:
        sys.exit(str(error))
