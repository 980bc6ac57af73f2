"""The parts that the doubles share, without a server: buckets, paths, pages, the clock, fault rules."""

from __future__ import annotations

import pytest

from local.sources.kit.faults import FaultBoard, FaultRule, ListPaths
from local.sources.kit.pages import BadCursor, NumberedPager, by_cursor
from local.sources.kit.paths import counted_as, fits
from local.sources.kit.token_bucket import Buckets, Quota
from local.sources.kit.vendor import Asked, UnfitFault

ROWS = list(range(23))


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def asked(*actions: FaultRule) -> Asked:
    return Asked("GET", "/list", (("page", "1"), ("page", "2"), ("empty", "")), {}, b"", "http://x", faults=actions)


def test_a_bucket_holds_a_burst_and_fills_at_its_own_rate() -> None:
    """Forty at once and two a second, say; never more than it holds, and nothing for a clock that goes back."""
    clock = Clock()
    buckets, quota = Buckets(clock), Quota(40, 2)
    assert all(buckets.of("a", quota).take() for _ in range(40))
    assert not buckets.of("a", quota).take()
    assert buckets.of("b", quota).take()
    clock.now += 0.4
    assert not buckets.of("a", quota).take()
    assert buckets.of("a", quota).whole_seconds_until_one == 1
    clock.now += 0.1
    assert buckets.of("a", quota).take()
    clock.now -= 50
    assert not buckets.of("a", quota).take()
    clock.now += 1000
    assert buckets.of("a", quota).tokens == 40
    assert Quota.a_minute(20).per_second * 60 == pytest.approx(20)


@pytest.mark.parametrize(
    ("pattern", "path", "fit"),
    [
        ("/a/{id}/b", "/a/1/b", True),
        ("/a/{id}/b", "/a/1/2/b", False),
        ("/a/{id}/b", "/a//b", False),
        ("/a.json", "/axjson", False),
        ("/a/*", "/a/b/c", True),
        ("/a/*", "/a", False),
        ("/a", "/a/", False),
    ],
)
def test_a_path_fits_its_pattern(pattern: str, path: str, fit: bool) -> None:
    """One segment a parameter; dots are dots."""
    assert fits(pattern, path) is fit
    assert counted_as(path, [pattern]) == (pattern if fit else path)


@pytest.mark.parametrize("size", [1, 5, 22, 23, 24])
def test_cursor_pages_joined_are_the_whole(size: int) -> None:
    """And only the last has no cursor."""
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = by_cursor(ROWS, asked(), size=size, cursor=cursor)
        seen += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.rows) == size
    assert seen == ROWS
    assert by_cursor([], asked(), size=size, cursor=None).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "MTIz", "é", "LTUuMA"])
def test_a_cursor_of_nobodys_is_no_cursor(cursor: str) -> None:
    """Nor is one that would lead before the first row."""
    with pytest.raises(BadCursor):
        by_cursor(ROWS, asked(), size=3, cursor=cursor)


@pytest.mark.parametrize("size", [1, 5, 23, 30])
def test_numbered_pages_joined_are_the_whole(size: int) -> None:
    """With as many pages as were said; one beyond the last is empty."""
    pager = NumberedPager(FaultBoard({}))
    seen: list[int] = []
    number = 1
    while True:
        page = pager.page(ROWS, asked(), size=size, number=number, list_name="l")
        seen += page.rows
        if not page.has_more:
            break
        number += 1
    assert seen == ROWS
    assert page.page_count == number
    beyond = pager.page(ROWS, asked(), size=size, number=number + 1, list_name="l")
    assert (list(beyond.rows), beyond.has_more) == ([], False)


def test_an_empty_numbered_page_moves_the_others_on_until_the_faults_change() -> None:
    """Of that list only."""
    board = FaultBoard({"f": ListPaths(paged=("/list",))})
    pager, hole = NumberedPager(board), FaultRule(action="empty_page_with_cursor")

    def pages(list_name: str) -> list[list[int]]:
        taken = [pager.page(ROWS, asked(), size=10, number=n, list_name=list_name) for n in range(1, 5)]
        return [list(page.rows) for page in taken]

    assert list(pager.page(ROWS, asked(hole), size=10, number=2, list_name="l").rows) == []
    assert pages("l") == [ROWS[:10], [], ROWS[10:20], ROWS[20:]]
    assert pages("other") == [ROWS[:10], ROWS[10:20], ROWS[20:], []]
    board.clear()
    assert pages("l") == [ROWS[:10], ROWS[10:20], ROWS[20:], []]


def test_the_last_of_several_parameters_counts_and_an_empty_one_does_not() -> None:
    """As most frameworks have it."""
    assert asked().single("page") == "2"
    assert asked().single("empty") is None
    assert asked().single("none") is None


def test_a_rule_acts_on_its_row_or_not_at_all() -> None:
    """A row beyond the page is no error: pages are of different lengths."""
    rule = FaultRule(action="corrupt_record", record={"a": 2}, index=1)
    assert [bytes(row) for row in asked(rule).records([{"a": 0}, {"a": 1}])] == [b'{"a":0}', b'{"a":2}']
    assert [bytes(row) for row in asked(rule).records([{"a": 0}])] == [b'{"a":0}']
    with pytest.raises(UnfitFault, match="b"):
        asked(FaultRule(action="corrupt_record", record={"b.c": 2})).records([{"a": 0}])


def test_rules_are_counted_for_the_requests_they_meet() -> None:
    """`skip` first, then `times`; what ends the request hides the rules after it."""
    board = FaultBoard({"f": ListPaths(), "g": ListPaths()})
    board.arm(
        [
            FaultRule(action="html", family="f", skip=1, times=2),
            FaultRule(action="delay", workspace="w", always=True),
        ]
    )
    taken = [[rule.action for rule in board.take("f", "w", "/x")] for _ in range(4)]
    assert taken == [["delay"], ["html"], ["html"], ["delay"]]
    assert [rule.action for rule in board.take("g", "w", "/x")] == ["delay"]
    assert board.take("g", "v", "/x") == []
