"""`backfill`: a stretch of the past again, in chunks, beside the live windows."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.adapters.pubsub import PubSubPublisher
from shared.errors import ConfigurationError
from shared.instants import to_text
from shared.operate.backfill.estimate import estimated_requests, rows_per_day
from shared.operate.backfill.plan import Stretch, parse_bound, plan_source, sources_of, split_capable
from shared.operate.backfill.run import Backfill, BackfillPorts, ChunkState, carry_out, look_up
from shared.operate.progress import Progress
from shared.registry import registry


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser(
        "backfill",
        help="extract a stretch of the past again, in chunks",
        description="Shows the plan, asks, and carries it out. Running the same command again goes on where it ended.",
    )
    parser.add_argument("name", help="a source or a pipeline")
    parser.add_argument("start", metavar="from", help="a day (2026-01-01) or an instant on a whole minute")
    parser.add_argument("end", metavar="to", help="the same; not included")
    parser.add_argument("--chunk-days", type=int, default=30, metavar="N", help="days of a chunk at most (30)")
    parser.add_argument("--parallel", type=int, default=1, metavar="N", help="chunks under way at a time (1)")
    parser.add_argument("--again", action="store_true", help="once more, though it was done before")
    parser.add_argument("--dry-run", action="store_true", help="show the plan only")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="plan and outcome as JSON on standard output")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Plan, ask, carry out."""
    settings, clock = wiring.settings(), SystemClock()
    ports = BackfillPorts(
        registry(), wiring.documents(), wiring.bucket(settings.landing_bucket), PubSubPublisher(settings.project), clock
    )
    stretch = Stretch(parse_bound(chosen.start), parse_bound(chosen.end), chosen.chunk_days)
    sources, refused = split_capable(sources_of(ports.registry, chosen.name))
    plans = [plan_source(ports.registry, source, stretch, clock.now()) for source in sources]
    backfills = [look_up(ports, plan, again=chosen.again) for plan in plans]
    picture = as_picture(ports, backfills, refused)
    if chosen.dry_run or not chosen.json:
        print(json.dumps(picture, indent=2) if chosen.json else as_text(picture))
    to_do = sum(not state.done for backfill in backfills for state in backfill.chunks)
    if chosen.dry_run or not to_do:
        if chosen.json and not chosen.dry_run:
            print(json.dumps(picture, indent=2))
        return 0
    if not (chosen.yes or _agreed(f"Publish {to_do} chunks, {chosen.parallel} at a time?")):
        print("nothing was published", file=sys.stderr)
        return 0
    progress = Progress(sys.stderr, to_do)
    try:
        carry_out(ports, backfills, parallel=chosen.parallel, told=lambda state: _tell(progress, state))
    finally:
        progress.end()
    backfills = [look_up(ports, plan) for plan in plans]
    if chosen.json:
        print(json.dumps(as_picture(ports, backfills, refused), indent=2))
    else:
        rows = sum(state.rows for backfill in backfills for state in backfill.chunks)
        print(f"done: {rows} rows landed and loaded; dbt builds their windows by itself (see status)")
    return 0


def as_picture(ports: BackfillPorts, backfills: Sequence[Backfill], refused: Mapping[str, str]) -> dict[str, Any]:
    """The plan and what is done of it, as plain data."""
    sources = {}
    for backfill in backfills:
        source = ports.registry.source(backfill.plan.source)
        left = tuple(state.chunk for state in backfill.chunks if not state.done)
        requests = estimated_requests(source, left, rows_per_day(ports.documents, source.name))
        sources[source.name] = {
            "backfill": backfill.name,
            "notes": list(backfill.plan.notes),
            "chunks_done": sum(state.done for state in backfill.chunks),
            "estimated_requests": requests,
            "minutes_at_the_rate_limit": None if requests is None else round(requests / source.requests_per_minute, 1),
            "chunks": [_chunk(state) for state in backfill.chunks],
        }
    return {"sources": sources, "left_out": dict(refused)}


def as_text(picture: Mapping[str, Any]) -> str:
    """The plan for a person."""
    lines = []
    for name, source in picture["sources"].items():
        chunks, done = source["chunks"], source["chunks_done"]
        requests = source["estimated_requests"]
        asked = (
            "requests unknown (nothing was read of it yet)"
            if requests is None
            else f"about {requests} requests, {source['minutes_at_the_rate_limit']:g} minutes at the rate limit"
        )
        lines.append(f"{name}: {len(chunks)} chunks, {done} of them done; {asked}")
        lines += [f"  {note}" for note in source["notes"]]
        for chunk in chunks:
            state = (
                f"done, {chunk['rows']} rows" if chunk["done"] else "to do" if chunk["revision"] is None else "begun"
            )
            revision = f" r{chunk['revision']}" if chunk["revision"] else ""
            lines.append(f"  {chunk['start']} … {chunk['end']}  in window {chunk['window']}{revision}  {state}")
        if chunks and done == len(chunks):
            lines.append("  all of it is done; --again reads it once more")
        elif not chunks:
            lines.append("  nothing to read")
    lines += [f"{name}: left out, {why}" for name, why in picture["left_out"].items()]
    return "\n".join(lines)


def _chunk(state: ChunkState) -> dict[str, Any]:
    extraction = state.chunk.extraction
    return {
        "start": to_text(extraction.start),
        "end": to_text(extraction.end),
        "window": state.chunk.window.id,
        "revision": state.revision,
        "parts": state.parts,
        "rows": state.rows,
        "done": state.done,
    }


def _tell(progress: Progress, state: ChunkState) -> None:
    extraction = state.chunk.extraction
    span = f"{extraction.start:%Y-%m-%d} … {extraction.end:%Y-%m-%d}"
    what = f"{state.rows} rows" if state.done else f"{state.parts} parts, {state.rows} rows so far"
    progress.step(f"{state.chunk.source} {span}: {what}", finished=state.done)


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError([f"{question} Nobody is there to answer: give --yes, or --dry-run to see the plan"])
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
