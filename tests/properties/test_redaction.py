"""Whatever a record looks like: nothing that is personal by its key is left anywhere, and all else is as it was."""

import io
import json
from typing import Any

import msgspec
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import CONTRACTS
from shared.contracts.contract import Kind
from shared.extract.part import PartBuffer
from shared.extract.pseudonyms import DOMAIN, Pseudonyms, normal_form
from shared.extract.redaction import Redaction
from shared.sources.family import Rejection, Rows
from tests.support.world import at

PSEUDONYMS = Pseudonyms(b"k" * 32)
CONTRACT = CONTRACTS["github_pull_requests"]
REDACTION = Redaction(CONTRACT, PSEUDONYMS, ("user.login",), ("nick", "mail"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SEPARATOR = st.sampled_from([" ", "/", ":", "<", "\n", '"', "\\", "'"])

# letters that no hash holds, so that whatever is left of a name can be told from its pseudonym
NAME = st.builds(
    "{}qz{}zq{}".format,
    st.sampled_from(["", "É", "ß-", "Ω.", "+", "o'"]),
    st.integers(10, 99),
    st.sampled_from(["", "!"]),
)
PERSONAL = st.one_of(NAME, st.builds("{}@{}.Test".format, NAME, st.sampled_from(["example", "a-b.c"])))


def _cased(text: str, upper: bool) -> str:
    return text.upper() if upper and text.upper().lower() == text.lower() else text


def _records(person: str) -> st.SearchStrategy[dict[str, Any]]:
    """Records that name a person under a personal key and anywhere else, as it comes."""
    mention = st.builds(
        lambda before, left, upper, right, after: before + left + _cased(person, upper) + right + after,
        *(TEXT, SEPARATOR, st.booleans(), SEPARATOR, TEXT),
    )
    leaf = st.one_of(st.none(), st.booleans(), st.integers(), TEXT, mention, st.just(person))
    key = st.one_of(st.sampled_from(["note", "user", "login", "Nick", "x"]), mention)
    inner = st.recursive(
        leaf,
        lambda below: st.one_of(
            st.lists(below, max_size=3),
            st.dictionaries(key, below, max_size=3),
            st.builds(json.dumps, st.dictionaries(key, below, max_size=3)),
        ),
        max_leaves=8,
    )
    return st.builds(lambda rest: {"rest": rest, "nick": [person, 7, None]}, inner)


CASES = PERSONAL.flatmap(lambda person: st.tuples(st.just(person), _records(person)))


@given(CASES)
def test_a_rejected_record_tells_nothing_personal(case: tuple[str, dict[str, Any]]) -> None:
    """Neither itself nor what is said of it."""
    person, record = case
    shown = REDACTION.rejection(Rejection("r", f"at {person!s}", msgspec.json.encode(record)))
    assert "zq" not in (shown.record.decode() + shown.detail).lower()
    assert json.loads(shown.record)["nick"] == [PSEUDONYMS.of(person), 7, None]


@given(CASES, st.booleans())
def test_a_landed_row_tells_nothing_personal(case: tuple[str, dict[str, Any]], as_text: bool) -> None:
    """Read back from Parquet, cell by cell; the figures of the row are untouched."""
    person, record = case
    encoded = msgspec.json.encode(record)
    values: dict[str, Any] = {column.name: [None] for column in CONTRACT.columns}
    values |= {name: [7] for name in ("pull_request_id", "number", "author_id")}
    values |= {name: ["x"] for name in ("organisation", "repository", "state")}
    values |= {name: [at(1)] for name in ("created_at", "updated_at")}
    values |= {
        "author_login": [person],
        "title": [f"for {person}"],
        "head_repository": [f"{person}/fork"],
        "labels": [json.dumps([person, {"k": f"({person})"}])],
        "payload": [encoded.decode() if as_text else encoded],
        "dq_valid": [True],
        "dq_flags": ["[]"],
    }
    rows = REDACTION.rows(Rows(values, 1))
    buffer = PartBuffer(CONTRACT)
    constants = {"_is_deleted": False, "_observed_at": at(1)}
    constants |= dict.fromkeys(("_source", "_window_id", "_source_file", "_run_id"), "s")
    buffer.add(rows.columns, constants, rows.count)
    (row,) = pq.read_table(io.BytesIO(buffer.close())).to_pylist()
    cells = {name.lower(): value for name, value in row.items()}
    assert "zq" not in repr(cells).lower()
    assert cells["author_login"] == PSEUDONYMS.of(person)
    assert (cells["pull_request_id"], cells["author_id"], cells["created_at"]) == (7, 7, at(1))
    for column in CONTRACT.columns:
        if column.kind is Kind.JSON and cells[column.name] is not None:
            json.loads(cells[column.name])


PLAIN = TEXT.filter(lambda text: "@" not in text and "%40" not in text and text.lstrip()[:1] not in ("{", "["))
NOBODY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), PLAIN),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(PLAIN, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(PLAIN, NOBODY, max_size=4))
def test_a_record_about_nobody_stays_as_it_is(record: dict[str, Any]) -> None:
    """Numbers to the last digit, text to the letter."""
    encoded = msgspec.json.encode(record)
    assert REDACTION.rejection(Rejection("r", "d", encoded)) == Rejection("r", "d", encoded)


@given(TEXT, TEXT)
def test_spellings_differ_as_texts_do_and_meet_in_the_normal_form(one: str, other: str) -> None:
    """What keeps rows apart is the spelling; what joins people is the pseudonym."""
    spelled = [PSEUDONYMS.spelled(text) for text in (one, other)]
    assert (spelled[0] == spelled[1]) == (one == other)
    same = normal_form(one) == normal_form(other)
    if one.strip() and other.strip():
        assert (PSEUDONYMS.of(one) == PSEUDONYMS.of(other)) == same
        assert [normal_form(text) for text in spelled] == [PSEUDONYMS.of(one), PSEUDONYMS.of(other)]


@given(PERSONAL, st.sampled_from(["", " ", "   "]), st.booleans())
def test_case_and_padding_change_no_pseudonym(person: str, padding: str, upper: bool) -> None:
    """And nothing of the name is in it."""
    pseudonym = PSEUDONYMS.of(padding + _cased(person, upper) + padding)
    assert pseudonym == PSEUDONYMS.of(person)
    assert pseudonym.endswith(f"@{DOMAIN}")
    assert "zq" not in pseudonym
