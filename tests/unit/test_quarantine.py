"""Quarantine keeps things whole: records as lines, bytes that are no text as base64, messages with their reason."""

import base64
import json

from shared.landing import PartName
from shared.quarantine import forget_records, keep_message, keep_records, object_note, records_name
from shared.sources.family import Rejection
from tests.support.world import World, at

PART = PartName("s", "20261120T0700Z", 0, 3)


def test_records_are_kept_as_lines_with_their_place_and_reason() -> None:
    """Newlines inside a record do not break the lines; what is no text is base64."""
    world = World(now=at(7))
    records = [b'{"a":\n1}', b"\xff\x00", "ä\u2028".encode()]
    keep_records(world.quarantine, PART, "run", [Rejection("why", "how", record) for record in records])
    found = world.quarantine.read(records_name(PART, "run"))
    assert found is not None
    lines = [json.loads(line) for line in found[0].decode().split("\n")[:-1]]
    assert [line.get("record") for line in lines] == ['{"a":\n1}', None, "ä\u2028"]
    assert base64.b64decode(lines[1]["record_base64"]) == b"\xff\x00"
    assert {(line["reason"], line["window_id"], line["part"], line["run_id"]) for line in lines} == {
        ("why", "20261120T0700Z", 3, "run")
    }


def test_forgotten_records_are_gone_and_others_stay() -> None:
    """Of that run only; twice is once."""
    world = World(now=at(7))
    for run in ("one", "two"):
        keep_records(world.quarantine, PART, run, [Rejection("r", "d", b"{}")])
    for _ in range(2):
        forget_records(world.quarantine, PART, "one")
    assert [s.name for s in world.quarantine.list("")] == [records_name(PART, "two")]


def test_an_object_of_any_name_has_a_plain_place() -> None:
    """Also one that no path may hold."""
    names = ["../../x", "a\nb", "\ud800", "x" * 5000, "ü"]
    notes = {object_note(name, 7) for name in names}
    assert len(notes) == len(names)
    assert all(note.isascii() and len(note) < 100 and ".." not in note for note in notes)


def test_a_message_is_kept_once_with_its_reason() -> None:
    """A second delivery adds nothing."""
    world = World(now=at(7))
    for _ in range(2):
        keep_message(world.quarantine, "id/../1", {"data": {"x": at(7)}}, "why", "owner")
    (stored,) = world.quarantine.list("messages/")
    found = world.quarantine.read(stored.name)
    assert found is not None
    assert json.loads(found[0])["reason"] == "why"
    assert json.loads(found[0])["subject"] == "id/../1"
