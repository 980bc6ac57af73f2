"""One object by its id, and the answer that there is none."""

import re

import msgspec

from shared.extract.pages import PageRequest, PageSeen
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.sources.envelope import records_in
from shared.sources.family import RawPage

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Error(msgspec.Struct):
    type: str


_error = msgspec.json.Decoder(_Error)


def show_request(path: str, object_id: str) -> PageRequest:
    """The request for one object, by an id that may stand in a path; that there is none is an answer too."""
    return PageRequest(f"{path}/{object_id}", missing_ok=True, invalid_ok=True)


def shown_object(response: HttpResponse, key: str) -> bytes | None:
    """The object as received, None where the vendor says that there is none. Raises UnusableBody for other answers.

    An object that cannot be read as JSON is handed on all the same: its record alone is rejected later.
    """
    if is_nothing(response):
        return None
    try:
        return bytes(_object.decode(response.body)[key])
    except (msgspec.DecodeError, RecursionError, KeyError) as exc:
        return _cut(response.body, key, exc)


def is_nothing(response: HttpResponse) -> bool:
    """Whether the vendor says that there is none of what was asked for. Raises UnusableBody when somebody else does."""
    if response.status == 200:
        return False
    try:
        _error.decode(response.body)
    except (msgspec.DecodeError, RecursionError) as exc:
        # a front end's page, or another server's: nothing is said of the object
        raise UnusableBody(f"no error of the vendor's: {exc}") from exc
    return True


def object_page(response: HttpResponse, key: str) -> RawPage:
    """The object as a page of one record, or of none."""
    found = shown_object(response, key)
    return RawPage([] if found is None else [found], PageSeen(0 if found is None else 1))


def _cut(body: bytes, key: str, strict: Exception) -> bytes:
    opened = re.match(rb'\s*\{\s*"%b"\s*:' % key.encode(), body)
    closed = body.rstrip()
    if opened is not None and closed.endswith(b"}"):
        as_list = b'{"%b": [' % key.encode() + closed[opened.end() : -1] + b"]}"
        records, _ = records_in(as_list, key)
        if len(records) == 1:
            return records[0]
    raise UnusableBody(f"no object {key!r} ({strict!r}); it begins with {body[:60]!r}") from strict
