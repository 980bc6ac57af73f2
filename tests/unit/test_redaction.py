"""Rows and rejected records without personal values: by key, by value, in texts, in JSON within texts, or withheld."""

import io
import json
from typing import Any

import pytest

from shared import logs
from shared.contracts import CONTRACTS
from shared.contracts.contract import Kind
from shared.errors import ConfigurationError
from shared.extract import personal_texts as personal_texts_module
from shared.extract.personal_texts import WITHHELD
from shared.extract.pseudonyms import Pseudonyms
from shared.extract.redaction import WITHHELD_DETAIL, Redaction
from shared.registry import registry
from shared.sources.family import Rejection, Rows
from shared.sources.personal_fields import personal_fields

KEY = b"k" * 32
PSEUDONYMS = Pseudonyms(KEY)
of = PSEUDONYMS.of


def _redaction(contract: str = "incidents", known: tuple[str, ...] = ("email",), *listed: str) -> Redaction:
    return Redaction(CONTRACTS[contract], PSEUDONYMS, known, listed)


def _row(contract: str, payload: bytes | str, **values: Any) -> Rows:
    columns = {column.name: [values.get(column.name)] for column in CONTRACTS[contract].columns}
    return Rows({**columns, "payload": [payload], "dq_valid": [True], "dq_flags": ["[]"]}, 1)


def _shown(redaction: Redaction, record: object, detail: str = "") -> dict[str, Any]:
    rejection = redaction.rejection(Rejection("reason", detail, json.dumps(record).encode()))
    shown: dict[str, Any] = json.loads(rejection.record)
    return shown


def test_personal_columns_and_their_values_in_the_payload_are_hashed() -> None:
    """Whatever key they stand under there, and in whatever case."""
    payload = b'{"creator":{"mail":"Ada@x.test"},"n":1.10,"none":null,"big":123456789012345678901234567890}'
    rows = _redaction(known=()).rows(_row("incidents", payload, creator_email="Ada@x.test", lead_email=None))
    assert rows.columns["creator_email"] == [of("ada@x.test")]
    assert rows.columns["lead_email"] == [None]
    shown = rows.columns["payload"][0]
    assert json.loads(shown)["creator"] == {"mail": of("ada@x.test")}
    assert b'"n":1.10,"none":null,"big":123456789012345678901234567890' in shown, "figures stay as they were written"


def test_listed_keys_are_hashed_at_any_depth_and_all_text_below_them() -> None:
    """Lists and objects too; numbers, booleans and null are no text."""
    record = {"a": [{"Phone": ["030 1", 5, None, True, {"office": "030 2"}]}], "phones": "no"}
    assert _shown(_redaction("incidents", (), "phone"), record) == {
        "a": [{"Phone": [of("030 1"), 5, None, True, {"office": of("030 2")}]}],
        "phones": "no",
    }


def test_a_name_may_ask_for_the_key_above_it() -> None:
    """incident.io calls people, severities and fields a `name` alike."""
    record = {"user": {"name": "Ada"}, "severity": {"name": "Major"}, "users": {"ada": 1, "bob": {"name": "x"}}}
    shown = _shown(_redaction("incidents", (), "user.name", "users.*"), record)
    assert shown == {
        "user": {"name": of("ada")},
        "severity": {"name": "Major"},
        "users": {of("ada"): 1, of("bob"): {"name": "x"}},
    }


def test_spellings_of_one_name_as_keys_are_both_kept() -> None:
    """A pseudonym that swallowed an entry would lose figures."""
    shown = _shown(_redaction("incidents", (), "users.*"), {"users": {"Ada": 1, "ada": 2}})
    assert sorted(shown["users"].values()) == [1, 2]


def test_values_are_found_inside_longer_texts_and_keys() -> None:
    """As whole words, in any case, percent-encoded; e-mail addresses also when nobody named them."""
    record = {
        "login": "al",
        "url": "https://github.test/AL/repos?by=someone%40x.test",
        "value": "algebra",
        "al": "AL",
        "mail": "Al@x.test",
        "note": "ask <Someone.Else@x.test> or O'Brien@x.test, not git@ nor @al",
    }
    hidden, obrien = of("al"), of("o'brien@x.test")
    assert _shown(_redaction("incidents", (), "login"), record) == {
        "login": hidden,
        "url": f"https://github.test/{hidden}/repos?by={of('someone@x.test')}",
        "value": "algebra",
        hidden: hidden,
        "mail": of("al@x.test"),
        "note": f"ask <{of('someone.else@x.test')}> or {obrien}, not git@ nor @{hidden}",
    }


def test_json_in_a_text_is_looked_into_and_withheld_when_it_is_broken() -> None:
    """Also JSON in JSON; a text that seems to hold a listed key, and is no JSON, tells nothing any more."""
    inner = json.dumps({"login": "ada", "n": 1})
    record = {
        "nested": inner,
        "twice": json.dumps([json.dumps({"x": {"login": "bob"}})]),
        "broken": 'log: {"login": "eve", ',
        "escaped": json.dumps(inner)[:-4] + ' "',
        "other": '{"figure": 1',
    }
    shown = _shown(_redaction("incidents", (), "login"), record)
    assert json.loads(shown["nested"]) == {"login": of("ada"), "n": 1}
    assert json.loads(json.loads(shown["twice"])[0]) == {"x": {"login": of("bob")}}
    assert shown["broken"] == shown["escaped"] == WITHHELD
    assert shown["other"] == '{"figure": 1'


def test_text_columns_hide_the_same_values_and_keep_words_that_only_look_like_them() -> None:
    """A kind of actor may be somebody's login; a summary that names a person is about that person."""
    ai = _row(
        "ai_tool_daily_metrics", '[{"user_name":"service"}]', actor="Service", actor_kind="service", model="service"
    )
    rows = _redaction("ai_tool_daily_metrics", ("user_name",)).rows(ai)
    assert (rows.columns["actor_kind"], rows.columns["model"]) == (["service"], ["service"])
    assert rows.columns["actor"] == [PSEUDONYMS.spelled("Service")]
    incidents = _row(
        "incidents",
        b'{"user":{"name":"Ada"}}',
        summary="Ada (ada@x.test) was paged",
        name="ada@x.test",
        affected_services='[{"id":"1","name":"ada@x.test"}]',
        creator_email="ada@x.test",
    )
    shown = _redaction("incidents", ("email",), "user.name").rows(incidents).columns
    assert shown["summary"] == [f"{of('ada')} ({of('ada@x.test')}) was paged"]
    assert shown["name"] == [of("ada@x.test")]
    assert json.loads(shown["affected_services"][0]) == [{"id": "1", "name": of("ada@x.test")}]


def test_a_listed_name_of_a_text_column_hides_the_column() -> None:
    """But never one that rows are told apart by."""
    rows = _row("incidents", b'{"summary":"long story"}', summary="long story", incident_id="1", workspace="w")
    shown = _redaction("incidents", (), "summary", "incident_id", "workspace").rows(rows).columns
    assert shown["summary"] == [of("long story")]
    assert (shown["incident_id"], shown["workspace"]) == (["1"], ["w"])


@pytest.mark.parametrize(
    "payload",
    [b'{"email":', b'\xff"', b"[" * 5000 + b"]" * 5000, b'{"a":"\\ud800"}', b'{"a":' * 900 + b"1" + b"}" * 900],
    ids=["cut", "no UTF-8", "too deep to decode", "lone surrogate", "too deep to walk"],
)
def test_a_payload_that_cannot_be_searched_is_withheld_and_its_row_kept(payload: bytes) -> None:
    """Better none than one that may tell; it is logged."""
    stream = io.StringIO()
    with logs.captured(stream):
        rows = _redaction().rows(_row("incidents", payload, creator_email="ada@x.test", incident_id="1"))
    assert rows.count == 1
    assert rows.columns["creator_email"] == [of("ada@x.test")]
    shown = json.loads(rows.columns["payload"][0])
    if list(shown) != ["a"]:  # the deepest that this interpreter walks through is not withheld
        assert list(shown) == ["withheld"]
        assert json.loads(stream.getvalue())["event"] == "extract.payloads_withheld"


def test_more_values_than_can_be_looked_for_are_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that takes for ever is none."""
    monkeypatch.setattr(personal_texts_module, "MOST_TEXTS", 3)
    shown = _shown(_redaction(), {"email": [f"a{n}@x.test" for n in range(5)]})
    assert list(shown) == ["withheld", "bytes"]


@pytest.mark.parametrize("piece", ["a", "a.", "'a", "%40a", "a@", "a@b.", "a%", "-a'"])
def test_a_text_that_is_nearly_an_address_for_ever_is_gone_through(piece: str) -> None:
    """A pattern that began anew at each letter would take hours."""
    shown = _shown(_redaction(), {"email": "ada@x.test", "text": piece * 200_000 + "@"})
    assert shown["text"].endswith("@")


def test_a_very_long_value_is_replaced_where_it_is_the_whole_text() -> None:
    """It is not looked for inside others."""
    text = "x y " * 400
    assert _shown(_redaction("incidents", (), "story"), {"story": text, "copy": text}) == {
        "story": of(text),
        "copy": of(text),
    }


@pytest.mark.parametrize("record", [b'{"email": "ada@x.test"', b'"ada"', b'["ada"]', b"\xff", b""])
def test_a_rejected_record_that_cannot_be_searched_is_withheld_with_what_is_said_of_it(record: bytes) -> None:
    """What is left is the reason, and its size."""
    shown = _redaction().rejection(Rejection("not_json", "at ada", record))
    assert (shown.reason, shown.detail) == ("not_json", WITHHELD_DETAIL)
    note = json.loads(shown.record)
    assert note["bytes"] == len(record)
    assert "ada" not in str(note)


def test_what_is_said_of_a_rejected_record_hides_its_values_too() -> None:
    """Details go to the log."""
    record = b'{"actor": {"type": "robot ada", "login": "ada"}}'
    shown = _redaction("incidents", (), "login").rejection(Rejection("no_actor", "type 'robot ada', x@y.test", record))
    assert shown.detail == f"type 'robot {of('ada')}', {of('x@y.test')}"


def test_what_is_not_about_values_stays() -> None:
    """Counts, watermark, scopes and flags are the family's."""
    rows = _row("incidents", b"{}", incident_id="1")
    rows.skipped, rows.unknown, rows.scopes = 3, {"new"}, ("day",)
    rows.rejections.append(Rejection("reason", "detail", b'{"email":"ada@x.test"}'))
    shown = _redaction().rows(rows)
    assert (shown.skipped, shown.unknown, shown.scopes, shown.count) == (3, {"new"}, ("day",), 1)
    assert b"ada@" not in shown.rejections[0].record
    only_rejected = Rows({}, 0, rows.rejections)
    assert b"ada@" not in _redaction().rows(only_rejected).rejections[0].record


@pytest.mark.parametrize("name", sorted(registry().sources))
def test_every_source_s_personal_keys_are_known(name: str) -> None:
    """The option can be switched on for each of them; personal columns are text."""
    source = registry().source(name)
    contract = CONTRACTS[source.contract]
    personal = [column for column in contract.columns if column.pii]
    assert bool(personal_fields(source, contract)) >= bool(personal)
    assert {column.kind for column in personal} <= {Kind.TEXT}


def test_a_family_whose_personal_keys_are_not_known_is_refused() -> None:
    """Its rejected records would tell."""
    source = registry().source("github_users").model_copy(update={"family": "unheard_of"})
    with pytest.raises(ConfigurationError, match="PERSONAL_FIELDS"):
        personal_fields(source, CONTRACTS["github_users"])
