"""`python -m local.sources.incident_io`: serve an archive as the incident.io API."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import ASGIApp

from local.sources.incident_io.api import create_app
from local.sources.incident_io.archive import ArchiveError, load_archive
from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.synthetic import SyntheticIncidents, create_synthetic_app
from local.sources.incident_io.workspaces import load_workspaces
from local.sources.kit.serve import serve

SECRET_PREFIX = "OPP_SECRET_INCIDENT_IO_"  # noqa: S105 - the name of a variable, not its value


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset; write 2026-03-01T00:00:00Z")
    return instant


def _key(text: str) -> tuple[str, str]:
    workspace, equals, key = text.partition("=")
    if not equals or not workspace or not key:
        raise argparse.ArgumentTypeError("a key is given as WORKSPACE=KEY")
    return workspace, key


def keys_by_workspace(given: Sequence[tuple[str, str]], environ: Mapping[str, str]) -> dict[str, str]:
    """Each workspace's key: from the command line, else from the environment. ValueError naming what is missing."""
    names = [workspace.name for workspace in load_workspaces()]
    keys = {name: environ[SECRET_PREFIX + name.upper()] for name in names if environ.get(SECRET_PREFIX + name.upper())}
    keys |= dict(given)
    missing = [name for name in names if name not in keys]
    if missing:
        wanted = ", ".join(f"{SECRET_PREFIX}{name.upper()} (or --key {name}=...)" for name in missing)
        raise ValueError(f"no key for {', '.join(missing)}: set {wanted}")
    if len(set(keys.values())) < len(keys):
        raise ValueError("two workspaces have the same key: the key decides the workspace, so they must differ")
    return keys


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.sources.incident_io", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--archive", type=Path, help="the incidents, in the form of docs/incident-archive.md")
    what.add_argument("--synthetic", type=int, metavar="N", help="serve N made-up incidents as fast as possible")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one and prints it")
    parser.add_argument("--clock", type=_instant, help="the instant to show (default: the present)")
    parser.add_argument("--rate-limit", choices=("on", "off"), default="on")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before every answer")
    parser.add_argument("--key", type=_key, action="append", default=[], metavar="WORKSPACE=KEY")
    parser.add_argument("--seed", type=int, default=7, help="of the made-up incidents")
    return parser


def _app(arguments: argparse.Namespace) -> ASGIApp:
    by_workspace = keys_by_workspace(arguments.key, os.environ)
    if arguments.synthetic is not None:
        return create_synthetic_app(SyntheticIncidents(arguments.synthetic, arguments.seed), by_workspace)
    keys = {key: workspace for workspace, key in by_workspace.items()}
    double = IncidentIoDouble(
        load_archive(arguments.archive),
        keys,
        arguments.clock or datetime.now(UTC),
        rate_limited=arguments.rate_limit == "on",
        latency_seconds=arguments.latency_ms / 1000,
    )
    return create_app(double)


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until told to stop; exits with status 2 and the reason when it can't start."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        app = _app(arguments)
        serve(app, arguments.host, arguments.port, "incident.io double")
    except (ArchiveError, ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
