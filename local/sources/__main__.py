"""`python -m local.sources`: every double in one process, each under `/<family>`, steered at `/_double`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.sources.families import families
from local.sources.incident_io.archive import ArchiveError, ArchiveIncident, load_archive
from local.sources.incident_io.generator import generate
from local.sources.incident_io.webhooks import WebhookTarget
from local.sources.incident_io.workspaces import load_workspaces
from local.sources.kit.clock import ShownClock
from local.sources.kit.family import Family, Surroundings
from local.sources.kit.serve import serve
from local.sources.kit.server import DoublesServer, fault_board

SECRET_PREFIX = "OPP_SECRET_"  # noqa: S105 - the beginning of a variable's name, not its value
_GENERATED_BACK, _GENERATED_ON = timedelta(days=365), timedelta(days=60)
"""Incidents without an archive: a year to look back on, and two months that the clock can be moved into."""


def environment_variable(reference: str) -> str:
    """Where the key of a secret is found: `incident-io-companya` in OPP_SECRET_INCIDENT_IO_COMPANYA."""
    return SECRET_PREFIX + reference.upper().replace("-", "_")


def keys_by_reference(
    references: Iterable[str], given: Sequence[tuple[str, str]], environ: Mapping[str, str]
) -> dict[str, str]:
    """The keys that are known: those given win over the environment's. ValueError for a reference nobody has."""
    known = set(references)
    strangers = sorted({reference for reference, _ in given} - known)
    if strangers:
        raise ValueError(f"no double takes the secret {', '.join(strangers)}; there are {', '.join(sorted(known))}")
    keys = {name: environ[environment_variable(name)] for name in known if environ.get(environment_variable(name))}
    return keys | dict(given)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset; write 2026-03-01T00:00:00Z")
    return instant


def _key(text: str) -> tuple[str, str]:
    reference, equals, key = text.partition("=")
    if not equals or not reference or not key:
        raise argparse.ArgumentTypeError("a key is given as SECRET_REFERENCE=KEY")
    return reference, key


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.sources", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one and prints it")
    parser.add_argument("--clock", type=_instant, help="the instant to show (default: the present)")
    parser.add_argument("--archive", type=Path, help="incidents, as docs/incident-archive.md has them (else generated)")
    parser.add_argument("--seed", type=int, default=7, help="of everything that is made up")
    parser.add_argument("--rate-limit", choices=("on", "off"), default="on")
    parser.add_argument(
        "--without", action="append", default=[], metavar="QUIRK", help="an oddity to switch off (docs/sources)"
    )
    parser.add_argument("--webhooks", metavar="URL", help="send incidents' changes, signed, to URL/<workspace>")
    parser.add_argument("--deleted", type=float, default=0.0, metavar="SHARE", help="of the generated incidents")
    parser.add_argument("--key", type=_key, action="append", default=[], metavar="SECRET_REFERENCE=KEY")
    return parser


def _webhooks(url: str | None, environ: Mapping[str, str]) -> WebhookTarget | None:
    if url is None:
        return None
    variables = {w.name: environment_variable(f"incident-io-{w.name}-webhook") for w in load_workspaces()}
    missing = [variable for variable in variables.values() if not environ.get(variable)]
    if missing:
        raise ValueError(f"webhooks are signed: set {', '.join(missing)}")
    return WebhookTarget(url, {name: environ[variable] for name, variable in variables.items()})


def _incidents(archive: Path | None, seed: int, now: datetime, deleted: float) -> list[ArchiveIncident]:
    if archive is not None:
        return load_archive(archive)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return list(generate(seed, midnight - _GENERATED_BACK, midnight + _GENERATED_ON, per_day=4, deleted=deleted))


def _server(arguments: argparse.Namespace, environ: Mapping[str, str]) -> DoublesServer:
    now = arguments.clock or datetime.now(UTC)
    mounted: tuple[Family, ...] = families(
        _incidents(arguments.archive, arguments.seed, now, arguments.deleted), _webhooks(arguments.webhooks, environ)
    )
    references = [reference for family in mounted for reference in family.secrets]
    keys = keys_by_reference(references, arguments.key, environ)
    if not keys:
        raise ValueError(f"no key at all: set {', '.join(map(environment_variable, references))}, or give --key")
    surroundings = Surroundings(
        clock=ShownClock(now),
        faults=fault_board(mounted),
        keys=keys,
        seed=arguments.seed,
        rate_limited=arguments.rate_limit == "on",
        without_quirks=frozenset(arguments.without),
    )
    return DoublesServer.open(mounted, surroundings)


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until told to stop; exits with status 2 and the reason when it can't start."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        server = _server(arguments, os.environ)
        if server.without_key:
            print(f"not served, since no key is known: {', '.join(server.without_key)}", file=sys.stderr)
        serve(server, arguments.host, arguments.port, f"doubles of {', '.join(server.doubles)}")
    except (ArchiveError, ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
