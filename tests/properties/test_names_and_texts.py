"""Random text is never taken for something; what we write ourselves is always read back."""

import json
import math
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import MalformedMessage, RejectedObject
from shared.extract.retry import LONGEST_WAIT_SECONDS, asked_wait
from shared.landing import PartMetadata, PartName
from shared.messages import ExtractMessage, LandedMessage, Message, delivered_message
from shared.sources.cutting import cut_array
from shared.windows.window import Window, is_window_id
from tests.support.world import at

SOURCES = st.text("abcxyz019_", max_size=62).map("s".__add__)
ENDS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 - bounds
    lambda d: d.replace(second=0, microsecond=0, tzinfo=UTC)
)
NAMES = st.builds(
    lambda source, end, revision, part: PartName(source, end.strftime("%Y%m%dT%H%MZ"), revision, part),
    SOURCES,
    ENDS,
    st.integers(0, 999_999),
    st.integers(0, 99_999),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


@given(NAMES)
def test_every_part_name_is_read_back(name: PartName) -> None:
    """Parsing is the inverse of writing."""
    assert PartName.parse(name.object_name) == name


@given(NAMES, st.integers(0, 200), st.characters(), st.sampled_from(["insert", "replace", "delete"]))
def test_a_name_that_was_tampered_with_is_refused_or_is_exactly_another_name(
    name: PartName, place: int, character: str, how: str
) -> None:
    """Parsing accepts what `object_name` produces, and nothing beside it."""
    text = name.object_name
    place %= len(text)
    tampered = {
        "insert": text[:place] + character + text[place:],
        "replace": text[:place] + character + text[place + 1 :],
        "delete": text[:place] + text[place + 1 :],
    }[how]
    try:
        parsed = PartName.parse(tampered)
    except RejectedObject:
        return
    assert parsed.object_name == tampered


@given(st.text())
def test_random_text_is_no_name_no_window_and_no_interval(text: str) -> None:
    """Nor any error but the one that says so."""
    assert not is_window_id(text)
    for parse in (PartName.parse, lambda t: Window.from_interval("p", t)):
        try:
            parse(text)
        except (RejectedObject, ValueError):
            continue
        raise AssertionError(text)


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=30), max_size=6))
def test_random_attributes_are_no_message(attributes: dict[str, str]) -> None:
    """Without a source nothing is asked for; whatever stands beside one is read or refused."""
    for given_attributes in (attributes, {**dict.fromkeys(("v", "window", "revision", "part"), "x"), **attributes}):
        try:
            ExtractMessage.parse({**given_attributes, "source": ""})
        except MalformedMessage:
            continue
        raise AssertionError(attributes)


@given(
    st.fixed_dictionaries(
        {}, optional={k: st.text(max_size=30) for k in ("v", "window", "revision", "part", "not_before")}
    )
)
@example({"revision": "\u0661"})
@example({"window": "0001-01-01T00:00:00+23:59/0001-01-02T00:00:00Z"})
def test_a_message_is_read_or_refused_and_never_crashes(attributes: dict[str, str]) -> None:
    """Whatever stands in the attributes."""
    try:
        parsed = ExtractMessage.parse({**attributes, "source": "s"})
    except MalformedMessage:
        return
    assert 0 <= parsed.part < 100_000
    assert ExtractMessage.parse(parsed.attributes()) == parsed


@given(st.one_of(JSON, st.fixed_dictionaries({"message": JSON})))
def test_no_json_body_crashes_the_reader_of_messages(body: object) -> None:
    """Whatever somebody posts."""
    try:
        message = delivered_message(body, "event", "2026-11-20T07:00:00Z")
    except MalformedMessage:
        return
    assert isinstance(message.data, bytes)


@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
def test_no_notification_crashes_its_reader(data: bytes) -> None:
    """Read or refused."""
    try:
        LandedMessage.parse(Message("1", at(7), {"eventType": "OBJECT_FINALIZE"}, data))
    except MalformedMessage:
        return


@given(st.dictionaries(st.sampled_from(["pipeline", "window", "rows", "watermark", "last"]), st.text(max_size=40)))
def test_no_metadata_crashes_its_reader(metadata: dict[str, str]) -> None:
    """Read or refused."""
    try:
        PartMetadata.from_mapping("x", metadata)
    except RejectedObject:
        return


@given(st.one_of(st.text(), st.floats().map(str), st.from_regex(r"\A\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]?\w+\Z")))
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("Mon, 01 Jan 99999999999 00:00:00 GMT")
@example("1" * 400)
def test_retry_after_is_read_or_ignored_and_never_crashes(text: str) -> None:
    """Between no wait and a day."""
    wait = asked_wait({"retry-after": text}, at(7))
    assert wait is None or (math.isfinite(wait) and 0 <= wait <= LONGEST_WAIT_SECONDS)


@given(st.lists(JSON, max_size=6), JSON, st.booleans())
def test_cutting_an_array_gives_its_elements(elements: list[object], other: object, pretty: bool) -> None:
    """Byte for byte what a JSON library wrote, whatever stands in them."""
    indent = 1 if pretty else None
    pieces = [json.dumps(each, indent=indent).encode() for each in elements]
    body = b'{"a": ' + json.dumps(other).encode() + b', "rows" : [' + b" , ".join(pieces) + b'], "z": [1]}'
    cut, rest = cut_array(body, "rows")
    assert cut == pieces
    assert json.loads(rest)["rows"] == []


@given(st.binary(max_size=80))
def test_cutting_random_bytes_never_crashes(body: bytes) -> None:
    """Refused, or by chance an array."""
    try:
        cut_array(body, "rows")
    except ValueError:
        return
