"""The shipped JSON Schema is generated from the types, and refuses what they refuse."""

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.registry.load import REGISTRY_FOLDER
from shared.registry.schema import SCHEMA_FILE, main, registry_schema, schema_text
from tests.support.world import pipeline_block, source_block

VALIDATOR = Draft202012Validator(registry_schema())


def _file(**changes: Any) -> dict[str, Any]:
    return {"family": "incident_io", "sources": {"alpha": source_block("alpha", **changes)}}


def _product(**changes: Any) -> dict[str, Any]:
    settings = source_block("alpha")["settings"]
    return {
        "family": "incident_io",
        "entities": {"incidents": changes.get("entity", {"slug": "in", "contract": "incidents"})},
        "instances": {"alpha": changes.get("instance", {"slug": "alpha", "settings": settings})},
    }


def _errors(document: object) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document)]


def test_the_shipped_schema_is_current() -> None:
    """`python -m shared.registry.schema` writes it anew."""
    assert SCHEMA_FILE.read_text() == schema_text()


def test_the_command_writes_it(tmp_path: Any) -> None:
    """To the file that it is given."""
    assert main(tmp_path / "schema.json") == 0
    assert (tmp_path / "schema.json").read_text() == schema_text()


def test_the_schema_is_one() -> None:
    """By the meta-schema."""
    Draft202012Validator.check_schema(registry_schema())


@pytest.mark.parametrize("path", sorted(REGISTRY_FOLDER.glob("*.yaml")), ids=lambda path: str(path.name))
def test_every_shipped_file_is_valid(path: Any) -> None:
    """What Python reads, an editor accepts."""
    # as JSON readers see it: all keys are text
    document = json.loads(json.dumps(yaml.safe_load(path.read_text())))
    assert _errors(document) == []
    assert _errors(_file()) == []
    assert _errors(_product()) == []
    assert _errors({"pipelines": {"ops": pipeline_block()}}) == []


@pytest.mark.parametrize(
    "document",
    [
        {"sorces": {}},
        _file(slug="UPPER"),
        _file(surprise=1),
        _file(page_size=0),
        _file(cursor="whenever"),
        _file(settings={"workspace": "alpha"}),
        _file(settings={**source_block("alpha")["settings"], "timestamps": {"lunch_at": "Lunch"}}),
        {"family": "pager", "sources": {}},
        {"sources": {"alpha": source_block("alpha")}},
        {"family": "incident_io", "sources": {"Alpha": source_block("alpha")}},
        {"pipelines": {"ops": {"cron": "0 * * * *"}}},
        {"family": "incident_io", "entities": {"incidents": {"slug": "inc"}}},
        {"family": "incident_io", "instances": {"alpha": {"slug": "alpha"}}},
        _product(entity={"slug": "inc", "settings": {}}),
        _product(entity={"slug": "inc", "surprise": 1}),
        _product(entity={"contract": "incidents"}),
        _product(instance={"slug": "alpha", "name": "x"}),
        _product(instance={"slug": "alpha", "settings": {"workspace": "alpha"}}),
        {**_product(), "family": "pager"},
    ],
)
def test_what_the_types_refuse_the_schema_refuses(document: dict[str, Any]) -> None:
    """A misspelt key is seen while it is typed."""
    assert _errors(document) != []
