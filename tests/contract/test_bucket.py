"""Bucket: the same tests over the fake in memory and over Cloud Storage's client and emulator."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from shared.adapters.gcs import GcsBucket
from shared.adapters.memory import Faults, MemoryBucket, MemoryCloud
from shared.crc32c import crc32c_base64
from shared.errors import StateConflict, StorageUnavailable
from shared.ports import Bucket, Spool
from tests.contract.stack import Stack

T = TypeVar("T")
WRITERS = 16

HOSTILE = (
    "a b",
    "a//b",
    "/lead",
    "trail/",
    "../x",
    "a/../../b",
    "per%2Fcent",
    "q?x=1&y=2#frag",
    "+plus",
    "it's; DROP TABLE x --",
    '"quoted"\\back',
    "größe/日本語/🦀",
    "раrt-00000.parquet",  # noqa: RUF001 - Cyrillic look-alikes
    "e\u0301",  # not normalised to é
    "x" * 1024,
)


@dataclass(frozen=True)
class Place:
    """Two buckets, and the power to lose an answer."""

    bucket: Bucket
    other: Bucket
    lose_answer_to: Callable[[str], None]
    """The next write to an object whose name contains this takes place, but its answer is lost."""


@pytest.fixture(params=["memory", pytest.param("emulated", marks=pytest.mark.emulated)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "memory":
        cloud = MemoryCloud(Faults())

        def lose(name: str) -> None:
            lost = StorageUnavailable("the answer is lost")
            cloud.faults.after += [("create", name, lost), ("replace", name, lost)]

        yield Place(cloud.bucket("here"), cloud.bucket("there"), lose)
        return
    stack: Stack = request.getfixturevalue("stack")
    yield Place(
        stack.bucket(stack.new_bucket()),
        stack.bucket(stack.new_bucket()),
        lambda name: stack.storage_faults({"action": "drop_response", "method": "POST", "name_contains": name}),
    )
    stack.storage_faults()


@pytest.fixture
def bucket(place: Place) -> Bucket:
    return place.bucket


def at_once(work: Callable[[int], T], count: int = WRITERS) -> list[T]:
    """Results of `work` in threads that begin together."""
    barrier = threading.Barrier(count)

    def step(number: int) -> T:
        barrier.wait(20)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(step, range(count)))


def insisting(call: Callable[[], T]) -> T:
    """What a caller gets that repeats its call after a fault, with the same owner."""
    try:
        return call()
    except StorageUnavailable:
        return call()


def test_a_created_object_is_described_as_it_is(bucket: Bucket) -> None:
    data = bytes(range(256)) * 3
    before = datetime.now(UTC) - timedelta(minutes=1)
    created = bucket.create("a/b", data, owner="me", metadata={"rows": "3", "empty": "", "name": 'größe "x" 🦀'})
    assert created.created
    found = created.object
    assert (found.name, found.size, found.crc32c) == ("a/b", len(data), crc32c_base64(data))
    assert found.metadata == {"rows": "3", "empty": "", "name": 'größe "x" 🦀', "owner": "me"}
    assert found.generation > 0
    assert before < found.created_at < datetime.now(UTC) + timedelta(minutes=1)
    assert bucket.stat("a/b") == found
    assert bucket.read("a/b") == (data, found.generation)
    assert list(bucket.list("a/")) == [found]


def test_views_of_memory_can_be_written(bucket: Bucket) -> None:
    bucket.create("view", memoryview(b"0123456789")[2:5], owner="me")
    found = bucket.read("view")
    assert found is not None
    assert found[0] == b"234"


def test_of_concurrent_creators_one_wins_and_the_others_see_its_object(bucket: Bucket) -> None:
    results = at_once(lambda i: bucket.create("one", f"from {i}".encode(), owner=str(i), metadata={"by": str(i)}))
    winners = [i for i, result in enumerate(results) if result.created]
    assert len(winners) == 1
    there = bucket.read("one")
    assert there is not None
    assert there[0] == f"from {winners[0]}".encode()
    assert {(result.object.generation, result.object.metadata["by"]) for result in results} == {
        (there[1], str(winners[0]))
    }


def test_a_create_whose_answer_was_lost_knows_its_own_object(place: Place) -> None:
    place.lose_answer_to("mine")
    created = insisting(lambda: place.bucket.create("mine", b"once", owner="me"))
    assert created.created
    assert place.bucket.read("mine") == (b"once", created.object.generation)


def test_a_create_that_finds_anothers_object_is_told_so(bucket: Bucket) -> None:
    first = bucket.create("taken", b"first", owner="first")
    second = bucket.create("taken", b"second", owner="second")
    assert (second.created, second.object) == (False, first.object)
    assert bucket.read("taken") == (b"first", first.object.generation)


def test_an_object_may_be_created_again_after_its_deletion(bucket: Bucket) -> None:
    first = bucket.create("again", b"1", owner="a").object
    assert bucket.delete("again", generation=first.generation)
    second = bucket.create("again", b"2", owner="b")
    assert second.created
    assert second.object.generation > first.generation


def test_a_replace_needs_the_generation_that_was_read(bucket: Bucket) -> None:
    first = bucket.create("state", b"1", owner="a").object
    second = bucket.replace("state", b"2", owner="b", generation=first.generation)
    assert second.generation > first.generation
    with pytest.raises(StateConflict, match="state"):
        bucket.replace("state", b"3", owner="c", generation=first.generation)
    with pytest.raises(StateConflict):
        bucket.replace("absent", b"3", owner="c", generation=first.generation)
    assert bucket.read("state") == (b"2", second.generation)
    assert bucket.stat("absent") is None


def test_a_replace_whose_answer_was_lost_is_no_conflict(place: Place) -> None:
    first = place.bucket.create("state", b"1", owner="a").object
    place.lose_answer_to("state")
    second = insisting(lambda: place.bucket.replace("state", b"2", owner="b", generation=first.generation))
    assert place.bucket.read("state") == (b"2", second.generation)


def test_concurrent_increments_are_all_counted(bucket: Bucket) -> None:
    rounds = 3
    bucket.create("count", b"0", owner="start")

    def increment(writer: int) -> None:
        for turn in range(rounds):
            while True:
                found = bucket.read("count")
                assert found is not None
                value = str(int(found[0]) + 1).encode()
                try:
                    bucket.replace("count", value, owner=f"{writer}.{turn}", generation=found[1])
                except StateConflict:
                    continue
                break

    at_once(increment)
    found = bucket.read("count")
    assert found is not None
    assert int(found[0]) == WRITERS * rounds


def test_a_delete_needs_the_generation_too(bucket: Bucket) -> None:
    first = bucket.create("gone", b"1", owner="a").object
    second = bucket.replace("gone", b"2", owner="b", generation=first.generation)
    assert not bucket.delete("gone", generation=first.generation)
    assert bucket.stat("gone") == second
    assert bucket.delete("gone", generation=second.generation)
    assert not bucket.delete("gone", generation=second.generation)
    assert bucket.stat("gone") is None
    assert bucket.read("gone") is None


def test_of_concurrent_deletes_one_deletes(bucket: Bucket) -> None:
    generation = bucket.create("gone", b"1", owner="a").object.generation
    assert sorted(at_once(lambda _: bucket.delete("gone", generation=generation)))[-2:] == [False, True]


def test_a_listing_is_by_name_and_prefix_with_metadata(bucket: Bucket) -> None:
    names = ["b/2", "b/10", "b/1", "a", "B/1", "b", "b/ü", "b/🦀", "b/\ufffd", "bb/1"]
    for name in names:
        bucket.create(name, name.encode(), owner="me", metadata={"name": name})
    found = list(bucket.list("b/"))
    assert [stored.name for stored in found] == ["b/1", "b/10", "b/2", "b/ü", "b/\ufffd", "b/🦀"]
    assert [stored.metadata["name"] for stored in found] == [stored.name for stored in found]
    assert [stored.name for stored in bucket.list("")] == sorted(names)
    assert list(bucket.list("c")) == []


def test_a_listing_may_begin_at_a_name(bucket: Bucket) -> None:
    for name in ("a/1", "a/2", "a/3", "b/2"):
        bucket.create(name, b"", owner="me")
    assert [stored.name for stored in bucket.list("a/", start="a/2")] == ["a/2", "a/3"]
    assert [stored.name for stored in bucket.list("b/", start="a/2")] == ["b/2"]
    assert list(bucket.list("a/", start="a/30")) == []


def test_a_content_comes_with_its_own_generation(bucket: Bucket) -> None:
    """A reader beside a writer never sees the content of one version with the generation of another."""
    stored = bucket.create("moving", b"0", owner="0").object
    written = {stored.generation: b"0"}
    stop = threading.Event()
    seen: set[tuple[bytes, int]] = set()

    def watch() -> None:
        while not stop.is_set():
            found = bucket.read("moving")
            assert found is not None
            seen.add(found)

    with ThreadPoolExecutor(2) as pool:
        watchers = [pool.submit(watch) for _ in range(2)]
        for number in range(1, 40):
            content = str(number).encode()
            stored = bucket.replace("moving", content, owner="me", generation=stored.generation)
            written[stored.generation] = content
        stop.set()
        for watcher in watchers:
            watcher.result(20)
    assert seen
    assert {written[generation] == content for content, generation in seen} == {True}


def test_a_read_beside_deletions_gives_all_or_nothing(bucket: Bucket) -> None:
    stop = threading.Event()

    def watch() -> set[bytes | None]:
        seen = set()
        while not stop.is_set():
            found = bucket.read("flicker")
            seen.add(None if found is None else found[0])
        return seen

    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch)
        for _ in range(15):
            stored = bucket.create("flicker", b"whole", owner="me").object
            bucket.delete("flicker", generation=stored.generation)
        stop.set()
        assert watcher.result(20) <= {None, b"whole"}


def test_copy_in_brings_content_and_metadata_once(place: Place) -> None:
    origin = place.bucket.create("from", b"content", owner="me", metadata={"rows": "7"}).object
    place.other.copy_in(place.bucket.name, "from", origin.generation, "to/copy")
    found, described = place.other.read("to/copy"), place.other.stat("to/copy")
    assert found is not None
    assert described is not None
    assert (found[0], described.metadata) == (b"content", {"rows": "7", "owner": "me"})
    newer = place.bucket.replace("from", b"newer", owner="me", generation=origin.generation)
    place.other.copy_in(place.bucket.name, "from", newer.generation, "to/copy")
    assert place.other.read("to/copy") == found


def test_copy_in_of_what_is_not_there_does_nothing(place: Place) -> None:
    origin = place.bucket.create("from", b"content", owner="me").object
    place.bucket.replace("from", b"newer", owner="me", generation=origin.generation)
    place.other.copy_in(place.bucket.name, "from", origin.generation, "old")
    place.other.copy_in(place.bucket.name, "absent", origin.generation, "absent")
    assert list(place.other.list("")) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_that_may_be_stored_is_one_object(place: Place, name: str) -> None:
    bucket = place.bucket
    created = bucket.create(name, b"1", owner="me", metadata={"k": "v"})
    assert created.created
    assert not bucket.create(name, b"2", owner="you").created
    assert bucket.stat(name) == created.object
    assert bucket.read(name) == (b"1", created.object.generation)
    assert [stored.name for stored in bucket.list(name)] == [name]
    assert [stored.name for stored in bucket.list("")] == [name]
    place.other.copy_in(bucket.name, name, created.object.generation, name)
    assert [stored.name for stored in place.other.list("")] == [name]
    assert bucket.delete(name, generation=created.object.generation)
    assert list(bucket.list("")) == []


@pytest.mark.parametrize("name", ["", "\ud800", "new\nline", "x" * 1025, "é" * 513, ".", ".."])
def test_names_that_no_object_can_have_are_not_there(place: Place, name: str) -> None:
    """A forged notification may name anything; looking for it is no fault of the service."""
    assert place.bucket.stat(name) is None
    assert place.bucket.read(name) is None
    assert not place.bucket.delete(name, generation=1)
    place.other.copy_in(place.bucket.name, name, 1, "copy")
    assert place.other.stat("copy") is None


def test_many_versions_are_read_in_their_order(place: Place) -> None:
    spool = _spool(place)
    written = [(f"e/{n:02}", place.bucket.create(f"e/{n:02}", b"%d" % n, owner="me").object) for n in range(20)]
    versions = [(name, stored.generation) for name, stored in reversed(written)]
    gone, replaced = ("e/99", 1), ("e/00", written[0][1].generation + 1)
    assert list(spool.read_each([*versions, gone, replaced])) == [*(b"%d" % n for n in range(19, -1, -1)), None, None]
    assert list(spool.read_each([])) == []


def test_of_many_versions_those_that_are_there_are_deleted(place: Place) -> None:
    spool = _spool(place)
    written = [place.bucket.create(f"e/{n:02}", b"", owner="me").object for n in range(20)]
    place.bucket.replace("e/03", b"newer", owner="me", generation=written[3].generation)
    place.bucket.delete("e/04", generation=written[4].generation)
    versions = [(stored.name, stored.generation) for stored in written[:10]]
    assert spool.delete_each([*versions, ("e/99", 1)]) == 8
    assert spool.delete_each(versions) == 0
    assert [stored.name for stored in spool.list("e/")] == ["e/03", *(f"e/{n}" for n in range(10, 20))]


def _spool(place: Place) -> Spool:
    assert isinstance(place.bucket, (MemoryBucket, GcsBucket))
    return place.bucket
