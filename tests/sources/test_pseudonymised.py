"""Sources that hide personal values, from their pages to what lies in the buckets and stands in the log."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from local.sources.ai_tools.tools import TOOLS, Tool
from local.sources.kit.faults import FaultRule
from shared import logs
from shared.adapters.memory import MemoryClock
from shared.contracts import CONTRACTS
from shared.errors import ConfigurationError, RequestRefused
from shared.extract.personal_texts import FieldNames, decoded, personal_texts
from shared.extract.pseudonyms import Pseudonyms, normal_form
from shared.landing import PartMetadata
from shared.registry.load import Registry
from shared.registry.model import Pseudonymise, Source
from shared.sources.personal_fields import personal_fields
from tests.sources import reading
from tests.sources.conftest import Story
from tests.sources.reading import Doubles, Reading
from tests.sources.reading import doubles as other_doubles
from tests.support.ai_tools import ToolsWorld, days, doubles, held, read_at, source_of, told, tools_registry, window_of
from tests.support.incident_io import response
from tests.support.incidents import incident, with_raw_field
from tests.support.source_pages import fixture
from tests.support.world import World, at, registry_of

KEY = "0123456789abcdef" * 4
PSEUDONYMS = Pseudonyms(KEY.encode())
ON = {"secret": "pii-key"}
HISTORY, WINDOWS = date(2026, 5, 25), tuple(window_of(day) for day in days(date(2026, 6, 1), 3))
NOW = datetime(2026, 3, 10, 4, 3, tzinfo=UTC)


def _give_key(world: World, key: str = KEY) -> None:
    secrets = world.extract_ports.secrets
    secrets.rotate("pii-key", key)  # type: ignore[attr-defined] # the one in memory can
    secrets.fetch("pii-key", fresh=True)


def _everything(world: World, rows: list[dict[str, Any]]) -> str:
    """All that one could read of what was extracted: every cell, every object's metadata, and quarantine."""
    metadata = [dict(stored.metadata) for stored in world.landing.list("")]
    quarantine = [world.quarantine.read(stored.name) for stored in world.quarantine.list("")]
    return "\n".join([repr(rows), repr(metadata), *(found[0].decode() for found in quarantine if found)])


@contextmanager
def _tools(registry: Registry) -> Iterator[ToolsWorld]:
    clock = MemoryClock(read_at(WINDOWS[0]))
    with doubles(clock) as served:
        world = ToolsWorld(served, registry, clock)
        _give_key(world)
        yield world


def _told(world: ToolsWorld, tool: Tool) -> dict[tuple[date, str, str], dict[str, Any]]:
    return told(tool, read_at(WINDOWS[-1]), HISTORY, world.range_of(tool, WINDOWS[-1])[1] - timedelta(days=1))


@pytest.fixture(scope="module")
def hidden() -> Iterator[tuple[ToolsWorld, str]]:
    """All tools with one key, some of their records broken, and what was logged."""
    log = io.StringIO()
    with logs.captured(log), _tools(tools_registry(history_from=f"{HISTORY}T00:00:00Z", pseudonymise=ON)) as world:
        for window in WINDOWS:
            assert world.read_all(window) == []
        world.doubles.faults.arm(
            [
                FaultRule(
                    action="corrupt_record",
                    family="claude_code",
                    path="/v1/organizations/usage_report/claude_code",
                    index=0,
                    record={"date": "soon"},
                    always=True,
                )
            ]
        )
        world.read("claude_code", WINDOWS[-1], revision="1")
        world.load_new()
        yield world, log.getvalue()


@pytest.mark.parametrize("tool", TOOLS)
def test_figures_are_the_tool_s_and_people_are_pseudonyms(hidden: tuple[ToolsWorld, str], tool: Tool) -> None:
    """Nobody's figures are lost, also of those whom a tool spells in two ways."""
    world, _ = hidden
    rows = held(tool, world.rows(tool))
    if tool == "claude_code":
        rows = held(tool, [row for row in world.landed_rows(tool) if row["_source_file"].find("/r0/") > 0])
    right = {
        (day, PSEUDONYMS.spelled(actor), model): figures for (day, actor, model), figures in _told(world, tool).items()
    }
    assert {key: figures for key, figures in rows.items() if key in right} == right
    assert len(right) > 30
    assert {key[1].rpartition("@")[2] for key in rows} == {"pseudonym.invalid"}


@pytest.mark.parametrize("tool", TOOLS)
def test_no_name_of_anybody_is_in_a_landed_row(hidden: tuple[ToolsWorld, str], tool: Tool) -> None:
    """In no column, in no payload."""
    world, _ = hidden
    names = {actor for _, actor, _ in _told(world, tool)}
    rows = repr(world.landed_rows(tool)).lower()
    assert len(names) > 5
    assert [name for name in names if name.lower() in rows] == []


def test_a_person_has_one_pseudonym_in_all_tools_with_one_key(hidden: tuple[ToolsWorld, str]) -> None:
    """Whoever goes by one address in several tools can be told to be one."""
    world, _ = hidden
    tools: tuple[Tool, ...] = ("cursor", "claude_code")
    clear = set.intersection(*({normal_form(actor) for _, actor, _ in _told(world, tool)} for tool in tools))
    by_tool = [{normal_form(row["actor"]) for row in world.rows(tool)} for tool in tools]
    assert len(clear) > 2
    assert {PSEUDONYMS.of(actor) for actor in clear} <= set.intersection(*by_tool)


def test_quarantine_and_log_tell_nobody_s_name(hidden: tuple[ToolsWorld, str]) -> None:
    """A rejected record keeps its shape, and can be read."""
    world, log = hidden
    quarantined = world.quarantined()
    assert {line["reason"] for line in quarantined} == {"wrong_type"}
    actor = json.loads(quarantined[0]["record"])["actor"]
    assert all(value.endswith("@pseudonym.invalid") for name, value in actor.items() if name != "type")
    names = {actor for tool in TOOLS for _, actor, _ in _told(world, tool)}
    everything = (_everything(world, []) + log).lower()
    assert "extract.records_quarantined" in log
    assert [name for name in names if name.lower() in everything] == []


def _incidents(*, key: str | None = KEY, **chosen: Any) -> World:
    world = World("alpha", now=at(7.01), registry=registry_of("alpha", pseudonymise={**ON, **chosen}))
    if key is not None:
        _give_key(world, key)
    return world


def _told_incident(number: int) -> dict[str, Any]:
    lead = {"id": "01LEAD", "name": f"Lead Person{number}", "email": f"Lead{number}@Example.com"}
    return incident(
        f"a{number}",
        at(number / 2),
        summary=f"lead{number}@example.com took over from Ada, see <ada@example.com>",
        incident_role_assignments=[{"role": {"role_type": "lead"}, "assignee": lead}],
        call_url=f"https://calls.example/{number}?who=lead{number}%40example.com",
        surprise={"note": json.dumps({"email": f"nested{number}@example.com"})},
    )


SECRETS_OF_PEOPLE = ("ada", "lead1@", "lead1%40", "person1", "nested", "01lead", "example.com")


def test_incidents_are_landed_without_anybody_s_name() -> None:
    """Summary, nested JSON, unknown fields, percent-encoded; what is no name is what it was."""
    log = io.StringIO()
    with logs.captured(log):
        world = _incidents(fields=["user.name", "assignee.name", "assignee.id"])
        for number in range(5):
            world.workspaces["alpha"].put(_told_incident(number))
        bad = _told_incident(9) | {"created_at": "yesterday by ada@example.com"}
        world.workspaces["alpha"].put(_told_incident(9), raw=json.dumps(bad).encode())
        cut = with_raw_field(_told_incident(8), "note", b'"ada \xff"')
        world.workspaces["alpha"].put(_told_incident(8), raw=cut)
        summary = world.tick("alpha")
        world.load_all()
    assert (summary.rows, summary.rejected) == (5, 2)
    rows = sorted(world.table.values(), key=lambda row: str(row["incident_id"]))
    row = rows[1]
    assert row["lead_email"] == PSEUDONYMS.of("lead1@example.com")
    assert row["creator_email"] == PSEUDONYMS.of("ada@example.com")
    assert row["summary"] == (
        f"{row['lead_email']} took over from {PSEUDONYMS.of('ada')}, see <{row['creator_email']}>"
    )
    assert (row["name"], row["reference"], row["created_at"]) == ("Incident a1", "INC-a1", at(0.5))
    everything = (_everything(world, rows) + log.getvalue()).lower()
    assert [name for name in SECRETS_OF_PEOPLE if name in everything] == []
    (metadata,) = [PartMetadata.from_mapping(s.name, s.metadata) for s in world.landed()]
    assert (metadata.rows, metadata.rejected) == (5, 2)


def test_a_replay_gives_the_same_pseudonyms() -> None:
    """And hides what landed in the clear before: its rows are overwritten."""
    world = World("alpha", now=at(7.01), registry=registry_of("alpha"))
    world.workspaces["alpha"].put(_told_incident(1))
    world.hour("alpha")
    assert "ada@example.com" in repr(world.table)
    world.registry = registry_of("alpha", pseudonymise={**ON, "fields": ["user.name", "assignee.name", "assignee.id"]})
    _give_key(world)
    for revision in ("1", "2"):
        world.tick("alpha", revision=revision, window="2026-11-20T06:00:00Z/2026-11-20T07:00:00Z")
        world.load_all()
        everything = repr(world.table).lower()
        assert [name for name in SECRETS_OF_PEOPLE if name in everything] == []
    assert {row["lead_email"] for row in world.table.values()} == {PSEUDONYMS.of("lead1@example.com")}


@pytest.mark.parametrize("key", [None, "too-short"])
def test_without_a_fit_key_nothing_is_asked_for_and_nothing_lands(key: str | None) -> None:
    """It fails closed, for good until the secret is there, and lets the lease go."""
    world = _incidents(key=key)
    world.workspaces["alpha"].put(_told_incident(1))
    with pytest.raises(ConfigurationError, match="pii-key"):
        world.tick("alpha")
    assert world.vendor.pages_served == 0
    assert world.landed() == []
    assert list(world.quarantine.list("records/")) == []
    assert world.names("leases/") == []
    _give_key(world)
    world.tick("alpha")
    assert len(world.landed()) == 1


def test_an_answer_that_cites_people_is_not_cited() -> None:
    """Neither in the log nor in the error that ends the run."""
    log = io.StringIO()
    world = _incidents()
    world.vendor.answer_next(
        response(500, {"error": "ada@example.com"}),
        response(200, b'{"ada@example.com": 1'),
        response(422, {"error": "no such user ada@example.com"}),
    )
    with logs.captured(log), pytest.raises(RequestRefused) as caught:
        world.tick("alpha")
    assert "HTTP 422" in str(caught.value)
    assert "ada@" not in log.getvalue() + str(caught.value)
    assert log.getvalue().count('"event":"extract.request_retried"') == 2


@pytest.fixture(scope="module")
def served() -> Iterator[Doubles]:
    with other_doubles(NOW) as served:
        yield served


@pytest.mark.parametrize("name", ["github_users", "github_pull_requests", "ecommerce_customers", "ecommerce_orders"])
def test_other_sources_hide_their_people_too(served: Doubles, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logins in addresses, cities, telephones: none of a personal column's values is left anywhere in its row."""
    at_once = datetime(2026, 3, 10, 4, 3, tzinfo=UTC)
    clear = Reading(served)
    clear.read(name, at_once)
    hidden = Reading(served, pseudonymise=Pseudonymise(secret="pii-key"))
    monkeypatch.setitem(reading._KEYS, "pii-key", KEY)
    assert hidden.read(name, at_once).rows == len(clear.rows(name)) > 10
    contract = CONTRACTS[clear.registry.source(name).contract]
    personal = [column.name for column in contract.columns if column.pii]
    by_key = {tuple(row[key] for key in contract.keys): row for row in hidden.rows(name)}
    for row in clear.rows(name):
        shown = by_key[tuple(row[key] for key in contract.keys)]
        values = {row[column] for column in personal} - {None, ""}
        assert {shown[column] for column in personal} - {None, ""} == {PSEUDONYMS.of(value) for value in values}
        rest = {column: value for column, value in shown.items() if column not in _MAY_BE_ALIKE}
        words = repr(rest)
        assert [value for value in values if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", words, re.IGNORECASE)] == []


_MAY_BE_ALIKE = ("province", "country_code")


@pytest.mark.parametrize("tool", TOOLS)
def test_the_keys_of_each_tool_s_people_are_known(story: Story, tool: Tool) -> None:
    """A rejected record has no columns that would tell: its personal values are found by key alone."""
    source = story.world.registry.source(source_of(tool))
    rows = story.world.rows(tool)
    assert len({row["actor"] for row in rows}) > 5
    assert [row["actor"] for row in rows if row["actor"] not in _found_by_key(source, row)] == []


@pytest.mark.parametrize("name", ["github_users", "github_pull_requests", "ecommerce_customers", "ecommerce_orders"])
def test_the_keys_of_other_sources_people_are_known(served: Doubles, name: str) -> None:
    """As above."""
    platform = Reading(served)
    platform.read(name, NOW)
    source = platform.registry.source(name)
    personal = [column.name for column in CONTRACTS[source.contract].columns if column.pii]
    for row in platform.rows(name):
        assert {row[column] for column in personal} - {None} <= _found_by_key(source, row)


def test_the_keys_of_incident_io_s_people_are_known() -> None:
    """Of the recorded page."""
    source = registry_of("alpha").source("incident_io_alpha_incidents")
    for record in json.loads(fixture("incident_io", "incidents_page"))["incidents"]:
        users = [record["creator"].get("user"), *(a.get("assignee") for a in record["incident_role_assignments"])]
        emails = {user["email"] for user in users if user and user.get("email")}
        assert emails <= _found_by_key(source, {"payload": json.dumps(record)})


def _found_by_key(source: Source, row: Mapping[str, Any]) -> set[str]:
    payload = row["payload"]
    text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
    return personal_texts(decoded(text), FieldNames(personal_fields(source, CONTRACTS[source.contract])))
