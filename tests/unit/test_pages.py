"""Paging without I/O: every page once, the last one included, and no endless loop."""

from collections.abc import Callable

import pytest

from shared.errors import PaginationLoop
from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_pages, numbered_pages, offset_pages


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
