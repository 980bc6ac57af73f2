"""Pseudonyms: one for each person and key, whatever the spelling; none without a fit key."""

import hashlib
import hmac
import io
from pathlib import Path

import pytest
import yaml

from shared.adapters.memory import MemorySecrets
from shared.contracts import CONTRACTS
from shared.errors import ConfigurationError, UnknownSource
from shared.extract.pseudonyms import Pseudonyms, normal_form, pseudonyms_of
from shared.operate.pseudonyms import pseudonyms_in, rewrite_accounts
from shared.registry.load import Registry, parse_registry, registry
from shared.registry.model import Pseudonymise
from tests.support.world import pipeline_block, registry_of, source_block, source_name

KEY = "0123456789abcdef" * 4
ALPHA = source_name("alpha")


def _registry(**changes: object) -> Registry:
    return registry_of("alpha", pseudonymise={"secret": "pii-key", **changes})


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Ada@Example.Test", "ada@example.test"),
        ("  ada@example.test ", "ada@example.test"),
        ("ada+cursor@example.test", "ada@example.test"),
        ("a.d.a+x+y@dotless.test", "ada@dotless.test"),
        ("a.d.a@example.test", "a.d.a@example.test"),
        ("Ada L.", "ada l."),
        ("c++@", "c++@"),
        ("+tag@example.test", "+tag@example.test"),
        ("\tada", "\tada"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("ÉLAN", "élan"),
    ],
)
def test_a_name_has_one_normal_form(text: str, normal: str) -> None:
    """Case, blanks around it, an address's tag, and its dots where they do not matter."""
    assert normal_form(text, {"dotless.test"}) == normal
    assert normal_form(normal, {"dotless.test"}) == normal


def test_a_pseudonym_is_the_keyed_hash_of_the_normal_form() -> None:
    """Anybody with the key can compute it, with any tool."""
    digest = hmac.new(KEY.encode(), b"ada@example.test", hashlib.sha256).hexdigest()
    assert Pseudonyms(KEY.encode()).of(" Ada+x@Example.Test") == f"{digest}@pseudonym.invalid"
    assert Pseudonyms(b"another" * 9).of("ada@example.test") != f"{digest}@pseudonym.invalid"


def test_spellings_stay_apart_as_keys_and_meet_in_their_normal_form() -> None:
    """Two rows of one person and day must not become one row in RAW: one of them would be lost."""
    pseudonyms = Pseudonyms(KEY.encode())
    spelled = [pseudonyms.spelled(text) for text in ("ada@x.test", "Ada@x.test", "ada+t@x.test", " ada@x.test")]
    assert len(set(spelled)) == 4
    assert {normal_form(text) for text in spelled} == {pseudonyms.of("ada@x.test")}
    assert spelled[0] == pseudonyms.of("ada@x.test")


def test_blank_text_names_nobody() -> None:
    """A pseudonym would make a person of it."""
    pseudonyms = Pseudonyms(KEY.encode())
    assert [pseudonyms.of(text) for text in ("", "  ", "\n")] == ["", "  ", "\n"]
    assert pseudonyms.spelled(" ") == " "


def test_a_key_with_a_line_break_is_the_same_key() -> None:
    """Secret Manager's values come stripped, the environment's do not."""
    source, chosen = _registry().source(ALPHA), Pseudonymise(secret="pii-key")
    plain = pseudonyms_of(source, chosen, MemorySecrets({"pii-key": KEY}))
    pasted = pseudonyms_of(source, chosen, MemorySecrets({"pii-key": KEY + "\n"}))
    assert plain.of("ada") == pasted.of("ada")


def test_a_short_key_is_refused_without_being_shown() -> None:
    """It could be tried out."""
    with pytest.raises(ConfigurationError) as caught:
        pseudonyms_of(_registry().source(ALPHA), Pseudonymise(secret="pii-key"), MemorySecrets({"pii-key": "s3cret"}))
    assert "'pii-key' has 6 bytes" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_list_of_accounts_is_rewritten_by_the_source_s_key() -> None:
    """Its other columns stay; spellings of one name become one line of an engineer."""
    pseudonyms = pseudonyms_in(_registry(), ALPHA, MemorySecrets({"pii-key": KEY}))
    accounts = io.StringIO("engineer_id,account\neng-1,Ada@x.test\neng-1, ada@x.test\neng-1,ada\neng-2,bob\n")
    target = io.StringIO()
    rewrite_accounts(pseudonyms, accounts, target)
    of = pseudonyms.of
    assert target.getvalue().splitlines() == [
        "engineer_id,account",
        f"eng-1,{of('ada@x.test')}",
        f"eng-1,{of('ada')}",
        f"eng-2,{of('bob')}",
    ]


def test_a_list_without_accounts_and_a_source_that_hides_nothing_are_refused() -> None:
    """Instead of writing something that never matches."""
    with pytest.raises(ConfigurationError, match="no column `account`"):
        rewrite_accounts(Pseudonyms(KEY.encode()), io.StringIO("id,name\n1,ada\n"), io.StringIO())
    secrets = MemorySecrets({"pii-key": KEY})
    with pytest.raises(ConfigurationError, match="no block `pseudonymise`"):
        pseudonyms_in(registry_of("alpha"), ALPHA, secrets)
    with pytest.raises(UnknownSource):
        pseudonyms_in(_registry(), "nobody", secrets)


def test_the_registry_refuses_blocks_that_cannot_work() -> None:
    """A key that is the source's own, a name that is no key, one person with two pseudonyms."""
    for changes, problem in (
        ({"secret": "incident-io-alpha"}, "the source's own key"),
        ({"fields": ["user name"]}, "pseudonymise.fields.0"),
        ({"fields": [".email"]}, "pseudonymise.fields.0"),
        ({"secret": "Not A Reference"}, "pseudonymise.secret"),
        ({"surprise": 1}, "pseudonymise.surprise"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            registry_of("alpha", pseudonymise={"secret": "pii-key", **changes})
        assert problem in str(caught.value), changes


def test_the_documented_block_is_one() -> None:
    """As a file's defaults, and left out by one of its sources."""
    page = (Path(__file__).parents[2] / "docs" / "pseudonyms.md").read_text()
    defaults = yaml.safe_load(page.partition("```yaml")[2].partition("```")[0])["defaults"]
    document = {
        "family": "incident_io",
        "defaults": defaults,
        "sources": {
            source_name("alpha"): source_block("alpha"),
            source_name("beta"): source_block("beta", pseudonymise=None),
        },
    }
    pipelines = {"pipelines": {"ops_incidents": pipeline_block()}}
    known = parse_registry({"pipelines.yaml": pipelines, "incident_io.yaml": document}, CONTRACTS)
    assert known.source(ALPHA).pseudonymise == Pseudonymise.model_validate(defaults["pseudonymise"])
    assert known.source(source_name("beta")).pseudonymise is None


def test_no_shipped_source_hides_names() -> None:
    """Whoever wants it switches it on."""
    assert [source.name for source in registry().sources.values() if source.pseudonymise is not None] == []


def test_sources_with_one_key_have_one_normal_form() -> None:
    """Else the same person would have two pseudonyms."""

    def parsed(*domains: list[str]) -> Registry:
        sources = {
            source_name(name): source_block(
                name, pseudonymise={"secret": "pii-key", "email_domains_without_dots": of_source}
            )
            for name, of_source in zip(("alpha", "beta"), domains, strict=True)
        }
        return parse_registry(
            {
                "pipelines.yaml": {"pipelines": {"ops_incidents": pipeline_block()}},
                "incident_io.yaml": {"family": "incident_io", "sources": sources},
            },
            CONTRACTS,
        )

    parsed(["x.test"], ["x.test"])
    with pytest.raises(ConfigurationError, match="one person would have two pseudonyms"):
        parsed(["x.test"], [])
