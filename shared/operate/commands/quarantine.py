"""`quarantine`: what could not be loaded, and asking for it again."""

import argparse
import json
import sys
from typing import Any

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.errors import ConfigurationError
from shared.operate.commands.replay import replay_ports
from shared.operate.described import described
from shared.operate.quarantine import (
    Entry,
    Kind,
    QuarantinePorts,
    State,
    content_of,
    find_entry,
    list_entries,
    replay_entries,
)
from shared.state.documents import Documents

_RECORDS_SHOWN = 5


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser("quarantine", help="what could not be loaded: list, show, replay")
    actions = parser.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="what is there, and why, newest first")
    show = actions.add_parser("show", help="what one looks like; what may be about a person stays closed")
    show.add_argument("name", help="as `quarantine list` shows it")
    again = actions.add_parser("replay", help="ask for it again, once the cause is gone")
    again.add_argument("names", nargs="*", help="as `quarantine list` shows them")
    again.add_argument("--all", action="store_true", help="everything that is open, as chosen by --kind and --source")
    for action in (listing, again):
        action.add_argument("--kind", type=Kind, choices=list(Kind), help="only these")
        action.add_argument("--source", help="only of this source")
        action.add_argument("--limit", type=int, default=50, metavar="N", help="how many at most (50)")
    listing.add_argument("--everything", action="store_true", help="also what was replayed")
    for action in (listing, show, again):
        action.add_argument("--json", action="store_true", help="as JSON")
        action.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """List, show, or replay."""
    bucket = wiring.quarantine_bucket()
    ports = QuarantinePorts(bucket, Documents(bucket, wiring.new_token), replay_ports(), SystemClock())
    match chosen.action:
        case "list":
            entries = list_entries(
                ports, kind=chosen.kind, source=chosen.source, everything=chosen.everything, limit=chosen.limit
            )
            return _list(entries, as_json=chosen.json)
        case "show":
            return _show(ports, find_entry(ports, chosen.name), as_json=chosen.json)
        case _:
            return _replay(ports, _chosen(ports, chosen), as_json=chosen.json)


def _chosen(ports: QuarantinePorts, chosen: argparse.Namespace) -> list[Entry]:
    if chosen.names:
        return [find_entry(ports, name) for name in chosen.names]
    if not chosen.all:
        raise ConfigurationError(["say which: names as `quarantine list` shows them, or --all"])
    found = list_entries(ports, kind=chosen.kind, source=chosen.source, limit=chosen.limit)
    return [entry for entry in found if entry.state is State.OPEN]


def _list(entries: list[Entry], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps([entry.described() for entry in entries], indent=2))
        return 0
    for entry in entries:
        where = "  ".join(str(part) for part in (entry.source, entry.window_id) if part)
        print(f"{entry.kept_at:%Y-%m-%dT%H:%M:%SZ}  {entry.state:<8}  {entry.name}  {where}")
        print("    " + "; ".join(f"{count} of {reason}" for reason, count in entry.reasons.items())[:300])
        if entry.asked:
            print(f"    asked {entry.asked['asked_at']}: {entry.asked['how']}")
    print(f"{len(entries)} shown")
    return 0


def _show(ports: QuarantinePorts, entry: Entry, *, as_json: bool) -> int:
    content = content_of(ports, entry)
    shown = {**entry.described(), "content": _content(ports, entry, content)}
    if as_json:
        print(json.dumps(shown, indent=2))
        return 0
    for name, value in shown.items():
        if name == "content":
            print("\n" + "\n\n".join(value))
        elif value is not None:
            print(f"{name}: {value}")
    return 0


def _content(ports: QuarantinePorts, entry: Entry, content: bytes) -> list[str]:
    match entry.kind:
        case Kind.RECORDS:
            lines = [json.loads(line) for line in content.splitlines()]
            shown = [f"{line['reason']}: {line['detail']}\n{_record(line)}" for line in lines[:_RECORDS_SHOWN]]
            more = len(lines) - len(shown)
            return [*shown, f"… {more} records more"] if more else shown
        case Kind.OBJECTS:
            kept = ports.quarantine.stat(entry.name.removesuffix(".json") + ".object")
            if kept is None:
                return ["the object itself was gone when it was refused"]
            facts = {"bytes": kept.size, "crc32c": kept.crc32c, **kept.metadata}
            return ["\n".join(f"{name}: {value}" for name, value in facts.items())]
        case _:
            data = json.loads(content)["message"].get("data")
            message = data.get("message") if isinstance(data, dict) else None
            attributes = message.get("attributes") if isinstance(message, dict) else None
            return [described(json.dumps(message or data)), "attributes:\n" + described(json.dumps(attributes or {}))]


def _record(line: dict[str, Any]) -> str:
    if "record" not in line:
        return f"no text, {len(line['record_base64'])} characters of Base64"
    return described(line["record"])


def _replay(ports: QuarantinePorts, entries: list[Entry], *, as_json: bool) -> int:
    outcomes = replay_entries(ports, entries)
    if as_json:
        told = [{"name": o.entry.name, "asked": o.asked, "refused": o.refused} for o in outcomes]
        print(json.dumps(told, indent=2))
    else:
        for outcome in outcomes:
            if outcome.asked:
                print(f"{outcome.entry.name}: {outcome.asked}")
        asked = sum(outcome.asked is not None for outcome in outcomes)
        print(f"{asked} asked for again; `quarantine list --everything` shows what came of it")
    refused = [outcome for outcome in outcomes if outcome.refused]
    for outcome in refused:
        print(f"{outcome.entry.name}: {outcome.refused}", file=sys.stderr)
    return 1 if refused else 0
