"""Paging without I/O: every page once, the last one included, and no endless loop."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import PaginationLoop
from shared.extract.pages import (
    PageFlow,
    PageRequest,
    PageSeen,
    cursor_pages,
    gathered_links,
    newest_first,
    numbered_pages,
    offset_pages,
)


def _walk(flow: PageFlow, answer: Callable[[PageRequest], PageSeen]) -> list[PageRequest]:
    requests = []
    request = next(flow)
    try:
        while True:
            requests.append(request)
            request = flow.send(answer(request))
    except StopIteration:
        return requests


def _cursor(request: PageRequest) -> str:
    return dict(request.query).get("after", "")


def test_a_cursor_is_followed_to_the_page_that_names_none() -> None:
    """The filters stand in every request, the cursor in all but the first."""
    following = {"": "a", "a": "b", "b": None}
    requests = _walk(
        cursor_pages("/list", (("size", "2"),), parameter="after"), lambda r: PageSeen(2, following[_cursor(r)])
    )
    assert [r.query for r in requests] == [
        (("size", "2"),),
        (("size", "2"), ("after", "a")),
        (("size", "2"), ("after", "b")),
    ]
    assert [r.resume for r in requests] == ["", "a", "b"]


def test_a_walk_can_begin_again_at_any_page() -> None:
    """`resume` of a request is where that page is asked for again."""
    following = {"": "a", "a": "b", "b": None}
    requests = _walk(
        cursor_pages("/list", (), parameter="after", resume="a"), lambda r: PageSeen(1, following[_cursor(r)])
    )
    assert [r.resume for r in requests] == ["a", "b"]


@pytest.mark.parametrize("cursors", [{"": "a", "a": "a"}, {"": "a", "a": "b", "b": "a"}, {"": ""}])
def test_a_cursor_that_comes_twice_is_a_loop(cursors: dict[str, str]) -> None:
    """Also a longer circle, and a first page that names itself."""
    with pytest.raises(PaginationLoop, match="handed out twice"):
        _walk(cursor_pages("/list", (), parameter="after"), lambda r: PageSeen(1, cursors[_cursor(r)]))


def test_a_circle_back_to_where_the_walk_began_again_is_a_loop() -> None:
    """A continuation knows the cursor that it came from."""
    cursors = {"b": "c", "c": "b"}
    with pytest.raises(PaginationLoop):
        _walk(cursor_pages("/list", (), parameter="after", resume="b"), lambda r: PageSeen(1, cursors[_cursor(r)]))


def test_a_few_empty_pages_are_passed_and_ten_in_a_row_are_not() -> None:
    """A filter may empty a page; paging that leads nowhere must end."""
    some = _walk(
        cursor_pages("/list", (), parameter="after"),
        lambda r: PageSeen(
            int(r.resume or 0) % 9 == 8, str(int(r.resume or 0) + 1) if int(r.resume or 0) < 30 else None
        ),
    )
    assert len(some) == 31
    with pytest.raises(PaginationLoop, match="10 empty pages"):
        _walk(cursor_pages("/list", (), parameter="after"), lambda r: PageSeen(0, f"{r.resume}x"))


@pytest.mark.parametrize(("total", "starts"), [(0, [0]), (2, [0]), (3, [0, 3]), (7, [0, 3, 6]), (9, [0, 3, 6, 9])])
def test_offsets_go_on_until_a_page_is_not_full(total: int, starts: list[int]) -> None:
    """A full last page costs one empty request."""
    requests = _walk(
        offset_pages("/list", (), offset="offset", limit="limit", size=3),
        lambda r: PageSeen(min(3, max(0, total - int(r.resume)))),
    )
    assert [int(dict(r.query)["offset"]) for r in requests] == starts
    assert {dict(r.query)["limit"] for r in requests} == {"3"}


def test_offsets_begin_again_where_they_stopped() -> None:
    """The offset is the resume text."""
    requests = _walk(offset_pages("/list", (), offset="o", limit="l", size=3, resume="6"), lambda r: PageSeen(1))
    assert [r.resume for r in requests] == ["6"]


def test_numbered_pages_follow_the_number_that_is_named() -> None:
    """And stop where none is."""
    requests = _walk(
        numbered_pages("/list", (), parameter="page"), lambda r: PageSeen(1, {"1": "2", "2": "3"}.get(r.resume))
    )
    assert [dict(r.query)["page"] for r in requests] == ["1", "2", "3"]


@pytest.mark.parametrize("named", ["1", "2", "0", "-3"])
def test_a_page_number_that_does_not_grow_is_a_loop(named: str) -> None:
    """Forward only."""
    with pytest.raises(PaginationLoop, match="names page"):
        _walk(numbered_pages("/list", (), parameter="page", resume="2"), lambda r: PageSeen(1, named))


def test_empty_numbered_pages_without_an_end_are_a_loop() -> None:
    """As with cursors."""
    with pytest.raises(PaginationLoop, match="10 empty pages"):
        _walk(numbered_pages("/list", (), parameter="page"), lambda r: PageSeen(0, str(int(r.resume) + 1)))


def test_offsets_may_begin_with_one() -> None:
    """Some vendors count from 1."""
    requests = _walk(
        offset_pages("/list", (), offset="start", limit="limit", size=3, first=1),
        lambda r: PageSeen(3 if r.resume == "1" else 1),
    )
    assert [request.resume for request in requests] == ["1", "4"]


def test_a_full_page_with_the_records_of_the_one_before_is_a_loop() -> None:
    """Where pages tell their content; else full pages are read as long as they come."""
    flow = offset_pages("/list", (), offset="o", limit="l", size=3)
    with pytest.raises(PaginationLoop, match="the same records"):
        _walk(flow, lambda r: PageSeen(3, content=b"same"))
    flow = offset_pages("/list", (), offset="o", limit="l", size=3)
    assert len(_walk(flow, lambda r: PageSeen(3 if int(r.resume) < 9 else 0))) == 4


def test_links_are_gathered_from_all_pages() -> None:
    """Every request begins again where what is read by means of the links does."""
    gathered: list[list[str]] = []

    def flow() -> PageFlow:
        pages = numbered_pages("/list", (), parameter="page")
        gathered.append((yield from gathered_links(pages, "later")))
        yield PageRequest("/after", resume="later")

    following = {"1": "2", "2": None}

    def answer(request: PageRequest) -> PageSeen:
        number = dict(request.query).get("page", "")
        return PageSeen(2, following.get(number), links=(f"{number}a", f"{number}b"))

    requests = _walk(flow(), answer)
    assert gathered == [["1a", "1b", "2a", "2b"]]
    assert [(request.path, request.resume) for request in requests] == [("/list", "later")] * 2 + [("/after", "later")]


def test_a_list_sorted_by_version_is_read_down_to_where_the_range_begins() -> None:
    """The page that reaches below is the last one; one that tells nothing is no end."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    oldest = {"1": noon + timedelta(hours=2), "2": None, "3": noon, "4": noon - timedelta(seconds=1)}

    def answer(request: PageRequest) -> PageSeen:
        return PageSeen(1, str(int(request.resume) + 1), oldest=oldest[request.resume])

    requests = _walk(newest_first(numbered_pages("/list", (), parameter="page"), noon), answer)
    assert [request.resume for request in requests] == ["1", "2", "3", "4"]
    ends_before = _walk(
        newest_first(numbered_pages("/list", (), parameter="page"), noon), lambda r: PageSeen(1, oldest=noon)
    )
    assert len(ends_before) == 1
