"""`dead-letters`: messages that every attempt failed on."""

import argparse
import json
from typing import Any

from shared import wiring
from shared.adapters.pubsub import PubSubPublisher, PubSubSubscriber
from shared.operate.dead_letters import DeadLetterPorts, Letter, chosen_topics, list_letters, replay_letters
from shared.registry import registry


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser("dead-letters", help="messages that every attempt failed on: list, replay")
    actions = parser.add_subparsers(dest="action", required=True)
    for name, told in (("list", "show them; they stay"), ("replay", "publish them to their topics again")):
        action = actions.add_parser(name, help=told)
        action.add_argument("--topic", help="of this topic, or of this source's, only")
        action.add_argument("--limit", type=int, default=100, metavar="N", help="how many a topic (100)")
        action.add_argument("--json", action="store_true", help="as JSON")
        action.set_defaults(run=run)
        if name == "replay":
            action.add_argument("ids", nargs="*", help="only the letters of these ids")
            action.add_argument("--all", action="store_true", help="every letter")


def run(chosen: argparse.Namespace) -> int:
    """List, or replay."""
    project = wiring.settings().project
    ports = DeadLetterPorts(registry(), PubSubSubscriber(project), PubSubPublisher(project))
    topics = chosen_topics(ports.registry, chosen.topic)
    if chosen.action == "list":
        letters = list_letters(ports, topics, limit=chosen.limit)
        return _print(chosen, letters, f"{len(letters)} dead letters")
    if not (chosen.all or chosen.ids or chosen.topic):
        print("Say which: ids, --topic or --all. `dead-letters list` shows them.")
        return 2
    letters = replay_letters(ports, topics, ids=chosen.ids, limit=chosen.limit)
    return _print(chosen, letters, f"{len(letters)} dead letters published again")


def _print(chosen: argparse.Namespace, letters: list[Letter], told: str) -> int:
    described = [letter.described() for letter in letters]
    if chosen.json:
        print(json.dumps(described, indent=2))
        return 0
    for letter in described:
        own = {k: v for k, v in letter["attributes"].items() if not k.startswith("CloudPubSubDeadLetter")}
        print(
            f"{letter['topic']}  {letter['id']}  dead since {letter['dead_since']}  redriven {letter['redrives']} times"
        )
        print("    " + "  ".join(f"{name}={value}" for name, value in sorted(own.items())))
    print(told)
    return 0
