"""The JSON Schema of the registry's YAML files, for editors and for readers that do not run Python.

`python -m shared.registry.schema` writes it beside the files. It is generated from the types that validate the files;
what only holds between files (unknown pipelines, a slug taken twice) is left to the loader.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared.registry.load import REGISTRY_FOLDER, SETTINGS_BY_FAMILY
from shared.registry.model import SOURCE_NAME, Pipeline, Source
from shared.registry.product import FROM_THE_PAIR, SLUG_PART

SCHEMA_FILE = REGISTRY_FOLDER / "schema.json"

_FROM_ELSEWHERE = ("name",)
# The block's own key: a block does not repeat it.


def registry_schema() -> dict[str, Any]:
    """The schema of one registry file: pipelines, or a family with its defaults and what makes its sources."""
    definitions: dict[str, Any] = {}
    pipeline = _block(Pipeline, definitions)
    # what a source lacks may come from the file's defaults: alone, nothing is required of either
    source = {k: v for k, v in _block(Source, definitions).items() if k != "required"}
    source["properties"]["family"] = {"enum": sorted(SETTINGS_BY_FAMILY)}
    settings = {family: _block(model, definitions) for family, model in sorted(SETTINGS_BY_FAMILY.items())}
    # a family is named by the file for all its sources, or by each block for itself
    of_block = [_if_family(family, {"settings": schema}) for family, schema in settings.items()]
    of_file = [
        _if_family(
            family,
            {key: {"additionalProperties": {"properties": {"settings": schema}}} for key in ("sources", "instances")},
        )
        for family, schema in settings.items()
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Registry file: pipelines, or the sources of one family",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "pipelines": _by_name(pipeline),
            "family": {"enum": sorted(SETTINGS_BY_FAMILY)},
            "defaults": source,
            "sources": _by_name({**source, "allOf": of_block}),
            "entities": _by_name(_half(source, "settings")),
            "instances": _by_name(_half(source)),
        },
        "dependentRequired": {"entities": ["instances"], "instances": ["entities"]},
        "anyOf": [
            {"required": ["family"]},
            {
                "properties": {
                    key: {"additionalProperties": {"required": ["family"]}} for key in ("sources", "entities")
                }
            },
        ],
        "allOf": of_file,
        "$defs": definitions,
    }


def schema_text() -> str:
    """The shipped file's content."""
    return json.dumps(registry_schema(), indent=2) + "\n"


def main(target: Path = SCHEMA_FILE) -> int:
    """Write the schema. Returns the exit code."""
    target.write_text(schema_text())
    return 0


def _block(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions.update(schema.pop("$defs", {}))
    schema["properties"] = {k: v for k, v in schema["properties"].items() if k not in _FROM_ELSEWHERE}
    schema["required"] = [name for name in schema.get("required", ()) if name not in _FROM_ELSEWHERE]
    return schema


def _half(source: dict[str, Any], *without: str) -> dict[str, Any]:
    """What an entity or an instance may say: the pair's names come from the blocks, its slug from both."""
    left_out = (*FROM_THE_PAIR, *without)
    properties = {name: schema for name, schema in source["properties"].items() if name not in left_out}
    slug = {"type": "string", "pattern": SLUG_PART}
    return {**source, "properties": {**properties, "slug": slug}, "required": ["slug"]}


def _if_family(family: str, properties: dict[str, Any]) -> dict[str, Any]:
    head = {"properties": {"family": {"const": family}}, "required": ["family"]}
    return {"if": head, "then": {"properties": properties}}


def _by_name(block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "propertyNames": {"pattern": f"^{SOURCE_NAME.pattern}$"}, "additionalProperties": block}


if __name__ == "__main__":
    sys.exit(main())
