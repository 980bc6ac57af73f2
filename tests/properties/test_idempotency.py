"""Whatever the sizes of pages and parts, and however deliveries are shuffled and repeated: the same table, one build
a digest."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.extract import part as part_module
from tests.support.incidents import incident
from tests.support.world import World, at, registry_of


@contextmanager
def _parts_of(size: int) -> Iterator[None]:
    # as monkeypatch would, but for each example anew
    before = part_module.PART_BYTES, part_module._ROW_GROUP_BYTES
    part_module.PART_BYTES, part_module._ROW_GROUP_BYTES = size, 1
    try:
        yield
    finally:
        part_module.PART_BYTES, part_module._ROW_GROUP_BYTES = before


def _world(count: int, page_size: int, soft_deadline: float) -> World:
    world = World(
        "alpha", now=at(7.01), soft_deadline_seconds=soft_deadline, registry=registry_of("alpha", page_size=page_size)
    )
    for number in range(count):
        world.workspaces["alpha"].put(incident(f"a{number:02}", at(number / 4), summary=f"text {number}" * 9))
    return world


def _content(world: World) -> dict[tuple[Any, ...], Any]:
    return {key: row["payload"] for key, row in world.table.items()}


SIZES = st.tuples(
    st.integers(0, 11), st.integers(1, 12), st.sampled_from([1, 9000, 12000, 10**9]), st.sampled_from([0.0, 420.0])
)


@settings(max_examples=30)
@given(SIZES)
def test_pages_and_parts_joined_equal_the_whole(sizes: tuple[int, int, int, float]) -> None:
    """The last page included, wherever an invocation ends; no record stands in two parts."""
    count, page_size, part_bytes, soft_deadline = sizes
    world = _world(count, page_size, soft_deadline)
    with _parts_of(part_bytes):
        world.extract_all("alpha")
    assert sum(int(stored.metadata["rows"]) for stored in world.landed()) == count
    assert [stored.metadata["last"] for stored in world.landed()][-1] == "true"
    assert [stored.metadata["last"] for stored in world.landed()].count("true") == 1
    world.load_all()
    assert world.ids() == {f"a{number:02}" for number in range(count)}
    assert world.names("open/") == []


@settings(max_examples=25)
@given(SIZES)
def test_running_twice_equals_running_once(sizes: tuple[int, int, int, float]) -> None:
    """Tick, parts, loads, job: the whole hour again changes nothing that anybody reads."""
    count, page_size, part_bytes, soft_deadline = sizes
    world = _world(count, page_size, soft_deadline)
    with _parts_of(part_bytes):
        world.hour()
        once = (
            dict(world.table),
            world.landed(),
            world.names(""),
            list(world.dbt.built),
            dict(world.warehouse.windows),
        )
        world.hour()
    twice = (dict(world.table), world.landed(), world.names(""), list(world.dbt.built), dict(world.warehouse.windows))
    assert twice == once


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_any_order_and_number_of_deliveries_gives_the_same_table_and_the_same_requests(seed: int, parts: int) -> None:
    """Three windows of updates, each in several parts, delivered shuffled and repeated."""
    world = _world(4, parts, 0)
    for hour in (7, 8, 9):
        world.clock.move_to(at(hour + 0.01))
        if hour > 7:
            for number in range(hour - 6):
                record = incident(f"a{number:02}", at(number / 4), at(hour - 0.5), summary=f"at {hour}")
                world.workspaces["alpha"].put(record)
        world.extract_all("alpha")
    in_order = {stored.name: world.notification(stored) for stored in world.landed()}
    for message in in_order.values():
        world.load(message)
    expected, requests = _content(world), world.names("dbt/requests/")

    random = Random(seed)
    deliveries = [m for m in in_order.values() for _ in range(random.randint(1, 3))]
    random.shuffle(deliveries)
    world.warehouse.tables.clear()
    world.warehouse.ledgers.clear()
    for prefix in ("markers/", "watermarks/", "windows/ops_incidents", "dbt/", "closings/"):
        for name in world.names(prefix):
            if not name.endswith("expected.json"):
                world.documents.discard(name)
    for message in deliveries:
        world.load(message)
    assert _content(world) == expected
    assert world.names("dbt/requests/") == requests
    world.job()
    assert len(set(world.dbt.built)) == len(world.dbt.built)
    assert world.dbt.marts == world.table
