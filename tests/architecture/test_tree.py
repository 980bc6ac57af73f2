"""The tree says what it holds: names that mean something, reasons beside exceptions, and listings that are honest."""

import json
import re
from pathlib import Path

import pytest

from shared.contracts import CONTRACTS
from shared.registry import registry
from shared.registry.load import SETTINGS_BY_FAMILY
from shared.registry.model import Source
from shared.sources.families import FAMILIES
from shared.transform.dbt_inputs import staging_model

ROOT = Path(__file__).parents[2]
OURS = ("shared", "functions", "local", "tests", "dbt", "infra", "docs")
NOT_OURS = {"__pycache__", "target", "logs", "dbt_packages", ".local", ".terraform", "generated"}
SOURCES = sorted(registry().sources.values(), key=lambda source: source.name)


def _files(*suffixes: str) -> list[Path]:
    return [
        path
        for folder in OURS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in suffixes and not NOT_OURS & set(path.relative_to(ROOT).parts)
    ]


def test_no_file_is_named_for_nothing() -> None:
    """A module is named for its idea."""
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "base", "core"}
    assert [str(path) for path in _files(".py", ".sql", ".tf", ".yaml", ".yml") if path.stem.lower() in vague] == []


def test_modules_are_small() -> None:
    """One idea a file; a long one holds several."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "shared").rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 330
    }
    assert long == {}


def test_every_rule_that_is_switched_off_has_its_reason() -> None:
    """In pyproject.toml beside the rule, in code after the rule's name."""
    section = (
        (ROOT / "pyproject.toml").read_text().partition("[tool.ruff.lint]")[2].partition("[tool.ruff.lint.pylint]")[0]
    )
    ignored = section.partition("ignore = [")[2]
    for line in ignored.splitlines():
        if re.search(r'"[A-Z]+\d*"', line.partition("#")[0]):
            assert re.search(r"#\s*\w+", line), line
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _files(".py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (found := re.search(r"#\s*(noqa|type:\s*ignore)(.*)$", line)) and not _explained(found[1], found[2])
    ]
    assert bare == []


def _explained(kind: str, rest: str) -> bool:
    if kind == "noqa":
        return re.fullmatch(r":\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*\s+-\s+\S.*", rest) is not None
    return re.fullmatch(r"\[[a-z, -]+\]\s+#\s+\S.*", rest) is not None


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("requirements/*"), *ROOT.glob("*/requirements*.txt"), *ROOT.glob("functions/*/*.txt")])
)
def test_requirements_hold_names_and_hashes_and_no_address(path: Path) -> None:
    """Where packages come from is the installing machine's business."""
    text = path.read_text()
    assert not re.search(r"https?://|--(extra-)?index\Wurl|--find\Wlinks|--trusted\Whost|@\s*(file|git)", text), (
        path.name
    )
    if path.suffix == ".txt":
        assert "--hash=sha256:" in text


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.name))
def test_every_source_has_its_family_its_contract_a_fixture_page_and_a_staging_model(source: Source) -> None:
    """What the registry lists is there, and so is the page that says what its API is taken to be."""
    assert source.family in FAMILIES
    assert source.family in SETTINGS_BY_FAMILY
    assert source.contract in CONTRACTS
    # a family that reads several vendors has a page of each, named as the instance
    pages = [
        page
        for folder in (source.family, source.instance)
        if folder is not None
        for page in (ROOT / "tests" / "fixtures" / folder).glob("*.json")
    ]
    assert pages, f"no fixture page for {source.family}"
    assert all(json.loads(page.read_text()) for page in pages)
    model = ROOT / "dbt" / "models" / "staging" / source.domain / f"{staging_model(source)}.sql"
    assert model.exists(), f"{source.name}: no {model.relative_to(ROOT)}"
    assert model.with_suffix(".yml").exists()
    names = (source.family, source.instance, source.domain)
    assert any((ROOT / "docs" / "sources" / f"{name}.md").exists() for name in names)


def test_every_staging_model_has_its_source() -> None:
    """No model reads what nobody extracts."""
    models = {path.stem for path in (ROOT / "dbt" / "models" / "staging").rglob("*.sql")}
    assert models == {staging_model(source) for source in SOURCES}


def test_every_fake_and_every_adapter_is_named_for_what_it_reaches() -> None:
    """One module an outside thing, the fakes together."""
    adapters = {path.stem for path in (ROOT / "shared" / "adapters").glob("*.py")} - {"__init__"}
    assert adapters >= {"memory", "gcs", "pubsub", "snowflake", "http", "secrets", "cloud_run", "clock"}
