"""The registry names every problem at once, and lets no name through that means something elsewhere."""

from pathlib import Path
from typing import Any

import pytest

from shared.contracts import CONTRACTS
from shared.errors import ConfigurationError, UnknownSource
from shared.registry import Registry, read_registry, registry
from shared.registry.load import parse_registry
from tests.support.world import pipeline_block, registry_of, source_block, source_name


def _parse(
    sources: dict[Any, Any], pipelines: dict[Any, Any] | None = None, *, family: object = "incident_io"
) -> Registry:
    return parse_registry(
        {
            "pipelines.yaml": {"pipelines": pipelines or {"ops_incidents": pipeline_block()}},
            "incident_io.yaml": {"family": family, "sources": sources},
        },
        CONTRACTS,
    )


def _problems(sources: dict[Any, Any], pipelines: dict[Any, Any] | None = None, **options: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        _parse(sources, pipelines, **options)
    return caught.value.problems


def test_the_shipped_registry_holds_the_three_workspaces() -> None:
    """Each with its own secret, slug and mapping."""
    shipped = registry()
    assert [s.name for s in shipped.enabled("ops_incidents")] == [
        f"incident_io_company{x}_{entity}" for x in "abc" for entity in ("follow_ups", "incidents")
    ]
    assert [s.name for s in shipped.enabled("ops_incidents_census")] == [
        f"incident_io_company{x}_{entity}"
        for x in "abc"
        for entity in ("census", "incident_statuses", "incident_updates", "severities")
    ]
    workspaces = [s for s in shipped.enabled("ops_incidents") if s.entity == "incidents"]
    assert len({s.secret for s in workspaces}) == 3
    assert {s.topic for s in workspaces} == {f"extract-inc-company{x}" for x in "abc"}


def test_every_problem_of_every_block_is_named_at_once() -> None:
    """Whoever writes YAML fixes it in one go."""
    problems = _problems(
        {
            source_name("alpha"): source_block("alpha", slug="X", page_size=0, surprise=1, history_from="yesterday"),
            source_name("beta"): source_block(
                "beta", pipeline="nowhere", contract="nothing", full_resync_cron="61 * * * *"
            ),
            source_name("gamma"): source_block("gamma", slug="inc-delta", settings={"workspace": "Gamma!"}),
            source_name("delta"): source_block("delta", slug="inc-delta", pipeline="nowhere", contract="nothing"),
            source_name("epsilon"): source_block("epsilon", slug="inc-delta"),
        },
        {"ops_incidents": pipeline_block(cron="hourly", deadline_minutes=1), "other": pipeline_block()},
    )
    text = "\n".join(problems)
    for part in (
        "sources.incident_io_alpha_incidents.slug",
        "sources.incident_io_alpha_incidents.page_size",
        "sources.incident_io_alpha_incidents.surprise",
        "sources.incident_io_alpha_incidents.history_from",
        "sources.incident_io_beta_incidents.full_resync_cron",
        "sources.incident_io_gamma_incidents.settings.workspace",
        "sources.incident_io_gamma_incidents.settings.identity",
        "sources.incident_io_gamma_incidents.settings.modes",
        "sources.incident_io_delta_incidents: unknown pipeline 'nowhere'",
        "sources.incident_io_delta_incidents: unknown contract 'nothing'",
        "slug 'inc-delta' is taken",
        "pipelines.ops_incidents.cron",
        "pipelines.ops_incidents.deadline_minutes",
    ):
        assert part in text, part


def test_settings_are_looked_at_even_when_the_block_itself_is_wrong() -> None:
    """Otherwise a second round of errors would follow the first."""
    text = "\n".join(_problems({source_name("alpha"): source_block("alpha", slug="X", settings={"workspace": "a"})}))
    assert "sources.incident_io_alpha_incidents.slug" in text
    assert "sources.incident_io_alpha_incidents.settings.identity" in text


HOSTILE = [
    "a'b",
    'a"b',
    "a;drop table x",
    "..",
    "a/../b",
    "a b",
    "A",
    "ａlpha",  # noqa: RUF001 - full width
    "аlpha",  # noqa: RUF001 - Cyrillic
    "alpha\n",
    "alpha\u200b",
    "1alpha",
    "_alpha",
    "",
    "a" * 64,
    "alpha--",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_means_something_elsewhere_is_refused(name: str) -> None:
    """Names stand in object names, SQL values and topics."""
    assert any("name" in problem for problem in _problems({name: source_block("alpha")}))
    assert any("name" in problem for problem in _problems({}, {name: pipeline_block()}))


@pytest.mark.parametrize("value", [*HOSTILE, "ab", "a" * 20])
def test_a_slug_that_google_would_refuse_is_refused(value: str) -> None:
    """19 characters at most leave room for prefixes in a service account's 30."""
    assert any(".slug" in problem for problem in _problems({source_name("alpha"): source_block("alpha", slug=value)}))


@pytest.mark.parametrize("value", ["projects/p/secrets/x", "../x", "a'b", "A", "a_b", ""])
def test_a_secret_is_a_plain_reference(value: str) -> None:
    """Never a path, never a value."""
    assert any(
        ".secret" in problem for problem in _problems({source_name("alpha"): source_block("alpha", secret=value)})
    )


def test_names_of_any_type_are_refused_and_not_crashed_on() -> None:
    """YAML reads `on:` as True and `1:` as a number."""
    assert any("sources.True" in p for p in _problems({True: source_block("alpha")}))
    assert any("sources.1" in p for p in _problems({1: source_block("alpha")}))


def test_lists_where_blocks_belong_are_refused() -> None:
    """A mapping by name, not a list."""
    with pytest.raises(ConfigurationError) as caught:
        parse_registry({"a.yaml": {"pipelines": [1], "sources": ["x"]}, "b.yaml": ["nothing"]}, CONTRACTS)
    assert len(caught.value.problems) == 3


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    """A family is code, so it can't be invented in YAML."""
    for family in ("pager", None, 3):
        text = "\n".join(_problems({source_name("alpha"): source_block("alpha")}, family=family))
        assert "unknown family" in text
        assert "incident_io" in text


def test_the_same_name_in_two_files_is_refused() -> None:
    """Neither may hide the other."""
    block = {"family": "incident_io", "sources": {source_name("alpha"): source_block("alpha")}}
    pipelines = {"pipelines": {"ops_incidents": pipeline_block()}}
    with pytest.raises(ConfigurationError) as caught:
        parse_registry({"a.yaml": {**block, **pipelines}, "b.yaml": {**block, **pipelines}}, CONTRACTS)
    assert any("another source has this name" in p for p in caught.value.problems)
    assert any("another pipeline has this name" in p for p in caught.value.problems)


def test_the_same_name_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    """YAML itself would keep the last block and forget the first, a workspace lost by copy and paste."""
    (tmp_path / "twice.yaml").write_text("sources:\n  alpha: {slug: a}\n  alpha: {slug: b}\n")
    (tmp_path / "broken.yaml").write_text("sources: [\n")
    with pytest.raises(ConfigurationError) as caught:
        read_registry(tmp_path)
    assert len(caught.value.problems) == 2
    assert any("'alpha' comes twice" in problem for problem in caught.value.problems)


def test_defaults_apply_unless_the_block_says_otherwise() -> None:
    """One block a source holds only what is its own."""
    block = source_block("alpha")
    defaults = {"lookback_minutes": block.pop("lookback_minutes"), "page_size": 100}
    parsed = parse_registry(
        {
            "p.yaml": {"pipelines": {"ops_incidents": pipeline_block()}},
            "i.yaml": {"family": "incident_io", "defaults": defaults, "sources": {source_name("alpha"): block}},
        },
        CONTRACTS,
    )
    assert (
        parsed.source("incident_io_alpha_incidents").lookback_minutes,
        parsed.source("incident_io_alpha_incidents").page_size,
    ) == (60, 3)


def _product(entities: Any, instances: Any, **changes: Any) -> Registry:
    block = source_block("alpha")
    of_instance = ("slug", "secret", "settings", "instance", "entity")
    defaults = {name: value for name, value in block.items() if name not in of_instance}
    return parse_registry(
        {
            "p.yaml": {"pipelines": {"ops_incidents": pipeline_block()}},
            "i.yaml": {
                "family": "incident_io",
                "defaults": defaults,
                "entities": entities,
                "instances": instances,
                **changes,
            },
        },
        CONTRACTS,
    )


def _instance(workspace: str, **changes: Any) -> dict[str, Any]:
    block = source_block(workspace)
    return {"slug": workspace, "secret": block["secret"], "settings": block["settings"], **changes}


def _product_problems(entities: Any, instances: Any, **changes: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        _product(entities, instances, **changes)
    return caught.value.problems


def test_every_entity_is_read_of_every_instance() -> None:
    """Names and slugs follow from the blocks; an instance's word is above an entity's, that above defaults."""
    known = _product(
        {
            "incidents": {"slug": "inc", "page_size": 50},
            "census": {"slug": "cen", "page_size": 60, "cursor": "snapshot"},
        },
        {"alpha": _instance("alpha"), "beta": _instance("beta", page_size=70)},
    )
    assert {(s.name, s.slug, s.instance, s.entity, s.page_size, s.cursor) for s in known.sources.values()} == {
        ("incident_io_alpha_incidents", "inc-alpha", "alpha", "incidents", 50, "updated_at"),
        ("incident_io_alpha_census", "cen-alpha", "alpha", "census", 60, "snapshot"),
        ("incident_io_beta_incidents", "inc-beta", "beta", "incidents", 70, "updated_at"),
        ("incident_io_beta_census", "cen-beta", "beta", "census", 70, "snapshot"),
    }
    assert known.source("incident_io_beta_census").settings["workspace"] == "beta"


def test_an_entity_or_an_instance_is_switched_off_as_a_whole() -> None:
    """By one word in its block."""
    known = _product(
        {"incidents": {"slug": "inc"}, "census": {"slug": "cen", "enabled": False}},
        {"alpha": _instance("alpha"), "beta": _instance("beta", enabled=False)},
    )
    assert [s.name for s in known.enabled("ops_incidents")] == ["incident_io_alpha_incidents"]
    assert len(known.sources) == 4


def test_a_file_may_have_sources_of_their_own_beside_the_product() -> None:
    """Neither may take the other's name."""
    own = {source_name("gamma"): source_block("gamma")}
    known = _product({"incidents": {"slug": "inc"}}, {"alpha": _instance("alpha")}, sources=own)
    assert set(known.sources) == {source_name("alpha"), source_name("gamma")}
    own = {source_name("alpha"): source_block("alpha", slug="other")}
    problems = _product_problems({"incidents": {"slug": "inc"}}, {"alpha": _instance("alpha")}, sources=own)
    assert problems == ("registry: i.yaml: entities.incidents of instances.alpha: another source has this name",)


def test_every_problem_of_a_product_is_named_once_where_it_stands() -> None:
    """A workspace's mistake is not repeated for each entity, nor an entity's for each workspace."""
    settings = {**_instance("alpha")["settings"], "identity": 3}
    problems = _product_problems(
        {
            "incidents": {"slug": "inc", "page_size": 0, "surprise": 1},
            "census": {"slug": "cen", "settings": {"workspace": "x"}, "entity": "other"},
            "updates": {"slug": "Upd!"},
        },
        {"alpha": _instance("alpha", secret="A", settings=settings, name="x"), "beta": _instance("beta", slug=None)},
    )
    for part in (
        "entities.incidents.page_size: ",
        "entities.incidents.surprise: ",
        "entities.census.settings: settings are the instance's",
        "entities.census.entity: follows from the blocks' names",
        "entities.updates.slug: every source's slug is made of two",
        "instances.alpha.secret: ",
        "instances.alpha.settings.identity: ",
        "instances.alpha.name: follows from the blocks' names",
        "instances.beta.slug: every source's slug is made of two",
    ):
        assert sum(f"i.yaml: {part}" in problem for problem in problems) == 1, (part, problems)


def test_a_slug_too_long_for_google_is_refused_for_the_pair() -> None:
    """Neither half alone is at fault."""
    problems = _product_problems({"updates": {"slug": "updates"}}, {"alpha": _instance("alpha", slug="alphabetical")})
    assert len(problems) == 1
    assert "entities.updates of instances.alpha.slug: " in problems[0]


def test_entities_and_instances_come_together() -> None:
    """One without the other would silently read nothing."""
    for entities, instances in (({}, {"alpha": _instance("alpha")}), ({"incidents": {"slug": "inc"}}, {})):
        assert any("one without the other" in p for p in _product_problems(entities, instances))
    problems = _product_problems(["incidents"], {"alpha": "x", "beta": None})
    assert any("entities: must be a mapping" in p for p in problems)


def test_a_disabled_source_is_known_but_not_expected() -> None:
    """Its history stays; nothing waits for it."""
    parsed = _parse(
        {source_name("alpha"): source_block("alpha"), source_name("beta"): source_block("beta", enabled=False)}
    )
    assert [s.name for s in parsed.enabled("ops_incidents")] == [source_name("alpha")]
    assert parsed.source("incident_io_beta_incidents").slug == "inc-beta"


def test_an_unknown_source_is_an_error_that_names_the_known_ones() -> None:
    """So that a typing error is seen at once."""
    with pytest.raises(UnknownSource, match=r"'incident_io_gamma_incidents'.*incident_io_alpha_incidents"):
        registry_of("alpha").source("incident_io_gamma_incidents")
