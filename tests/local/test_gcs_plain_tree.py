"""The plain tree shows committed objects and nothing else, whatever happens between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.gcs.content import plain_path
from local.gcs.errors import ApiError
from local.gcs.hashes import Hashes
from local.gcs.notifications import Message, Notifications
from local.gcs.objects import Finished, Objects
from local.gcs.resources import Resource
from local.gcs.store import Store


class Crash(BaseException):
    """The process dies here."""


class CrashingNotifications(Notifications):
    """Dies after the content has its place and before the transaction commits."""

    def messages(self, event_type: str, resource: Resource, more: Mapping[str, str]) -> list[Message]:
        raise Crash


def opened(root: Path) -> Store:
    store = Store.open(root, "http://127.0.0.1:1")
    if not store.buckets.list_all()["items"]:
        store.buckets.create({"name": "landing"})
    return store


def put(store: Store, name: str, content: bytes, objects: Objects | None = None, **given: Any) -> Resource:
    path, hashes = store.files.new_upload(), Hashes()
    path.write_bytes(content)
    hashes.update(content)
    return (objects or store.objects).create("landing", name, Finished(path, hashes, given), {})


def shown(root: Path) -> dict[str, bytes]:
    tree = root / "buckets" / "landing"
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_objects_appear_change_and_disappear(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "landing/s/w/part-0.parquet", b"one")
    put(store, "landing/s/w/part-0.parquet", b"two")
    put(store, "other", b"x")
    assert shown(tmp_path) == {"landing/s/w/part-0.parquet": b"two", "other": b"x"}
    store.objects.delete("landing", "landing/s/w/part-0.parquet", {})
    assert shown(tmp_path) == {"other": b"x"}
    assert not (tmp_path / "buckets/landing/landing").exists()
    assert len(list((tmp_path / "content").iterdir())) == 1


def test_a_reader_of_an_overwritten_file_goes_on_reading_it(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "part", b"old bytes")
    with (tmp_path / "buckets/landing/part").open("rb") as reader:
        put(store, "part", b"new")
        assert reader.read() == b"old bytes"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/abs", "a//b", "a/", "./a", "a/.", "a\0b"])
def test_names_that_are_no_safe_paths_are_left_out(tmp_path: Path, name: str) -> None:
    assert plain_path("landing", name) is None
    store = opened(tmp_path)
    put(store, name, b"x")
    assert store.objects.get("landing", name, {}).path.read_bytes() == b"x"
    assert shown(tmp_path) == {}
    store.objects.delete("landing", name, {})


def test_a_name_that_is_also_a_folder_never_shows_something_old(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", b"file")
    put(store, "a/b", b"below")
    assert shown(tmp_path) == {"a": b"file"}
    store.objects.delete("landing", "a/b", {})
    assert shown(tmp_path) == {"a": b"file"}
    put(store, "long/" + "n" * 300, b"too long for a file name")
    assert shown(tmp_path) == {"a": b"file"}


def test_a_crash_before_the_commit_leaves_the_former_object(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "part", b"committed")
    crashing = Objects(
        store.database,
        store.files,
        store.buckets,
        CrashingNotifications(store.database),
        store.outbox,
        "http://127.0.0.1:1",
    )
    with pytest.raises(Crash):
        put(store, "part", b"lost", crashing)
    assert shown(tmp_path) == {"part": b"committed"}
    assert len(list((tmp_path / "content").iterdir())) == 2
    store.database.close()
    again = opened(tmp_path)
    assert again.objects.get("landing", "part", {}).path.read_bytes() == b"committed"
    assert shown(tmp_path) == {"part": b"committed"}
    assert len(list((tmp_path / "content").iterdir())) == 1


def test_a_start_brings_the_tree_in_line(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "missing/part", b"1")
    put(store, "stale", b"2")
    store.database.close()
    tree = tmp_path / "buckets" / "landing"
    (tree / "missing/part").unlink()
    (tree / "stale").unlink()
    (tree / "stale").write_bytes(b"an older generation")
    (tree / "ghost/deep").mkdir(parents=True)
    (tree / "ghost/deep/part").write_bytes(b"deleted object")
    (tmp_path / "uploads/rest").write_bytes(b"half")
    opened(tmp_path)
    assert shown(tmp_path) == {"missing/part": b"1", "stale": b"2"}
    assert not (tree / "ghost").exists()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_generations_grow_over_a_restart_whatever_the_clock_says(tmp_path: Path, monkeypatch: Any) -> None:
    store = opened(tmp_path)
    before = int(put(store, "x", b"1")["generation"])
    store.objects.delete("landing", "x", {})
    store.database.close()
    monkeypatch.setattr("local.gcs.objects.time.time_ns", lambda: 0)
    assert int(put(opened(tmp_path), "x", b"2")["generation"]) > before


def test_a_refused_upload_leaves_no_bytes(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(ApiError):
        put(store, "part", b"x", crc32c="AAAAAA==")
    assert list((tmp_path / "uploads").iterdir()) == list((tmp_path / "content").iterdir()) == []
