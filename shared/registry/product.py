"""Entities times instances: what is read of every instance, written once, and every instance in one block.

A file with both stands for a source each pair. Its values are the file's defaults, then the entity's, then the
instance's; its slug is the entity's and the instance's, joined; its name is domain, instance and entity. Nothing else:
whoever reads the YAML without this module (Terraform) needs no more than a product and a merge.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SLUG_PART = r"^[a-z0-9][a-z0-9-]{0,15}$"
"""What an entity's or an instance's own `slug` may be; the joined one is checked as every slug."""

FROM_THE_PAIR = ("name", "entity", "instance")
"""What a block of either kind does not say: the blocks' names do."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A block's values before they are checked, and where they stand. `origins` say it for single keys."""

    where: str
    name: str
    values: Mapping[str, Any]
    origins: Mapping[str, str] = field(default_factory=dict)

    def place(self, path: Sequence[str]) -> str:
        """Where the value at this path stands."""
        return ".".join([self.origins.get(path[0], self.where) if path else self.where, *path])


def expanded(document: Mapping[str, Any], file: str, problems: list[str]) -> Iterator[Stated]:
    """The sources that a file's entities and instances stand for."""
    defaults = {"family": document.get("family"), **mapping_of(document.get("defaults"))}
    entities = _named(blocks_of(document, file, "entities", problems), f"{file}: entities", problems)
    instances = _named(blocks_of(document, file, "instances", problems), f"{file}: instances", problems)
    if bool(entities) != bool(instances):
        problems.append(f"{file}: entities and instances make sources together; one without the other makes none")
    for name, block in entities.items():
        if "settings" in block:
            problems.append(f"{file}: entities.{name}.settings: settings are the instance's; put them there")
    for instance, of_instance in instances.items():
        for entity, of_entity in entities.items():
            yield _pair(file, defaults, (entity, of_entity), (instance, of_instance))


def blocks_of(document: Mapping[str, Any], file: str, key: str, problems: list[str]) -> dict[str, Any]:
    """The blocks under a key of a file, by name."""
    blocks = document.get(key) or {}
    if not isinstance(blocks, dict):
        problems.append(f"{file}: {key}: must be a mapping of blocks by name")
    return mapping_of(blocks)


def mapping_of(block: object) -> dict[str, Any]:
    """The block, or an empty one for anything that is none: what lacks is named by the types."""
    return dict(block) if isinstance(block, dict) else {}


def _named(blocks: Mapping[str, Any], where: str, problems: list[str]) -> dict[str, dict[str, Any]]:
    named = {name: mapping_of(block) for name, block in blocks.items()}
    for name, block in named.items():
        said = [key for key in FROM_THE_PAIR if key in block]
        problems += [f"{where}.{name}.{key}: follows from the blocks' names; leave it out" for key in said]
        if not re.fullmatch(SLUG_PART, str(block.get("slug", ""))):
            problems.append(f"{where}.{name}.slug: every source's slug is made of two; a part is like `inc`")
    return named


def _pair(
    file: str, defaults: Mapping[str, Any], entity: tuple[str, dict[str, Any]], instance: tuple[str, dict[str, Any]]
) -> Stated:
    (entity_name, of_entity), (instance_name, of_instance) = entity, instance
    name = f"{of_instance.get('domain', of_entity.get('domain', defaults.get('domain')))}_{instance_name}_{entity_name}"
    return Stated(
        f"{file}: entities.{entity_name} of instances.{instance_name}",
        name,
        {
            **defaults,
            **of_entity,
            **of_instance,
            "name": name,
            "entity": entity_name,
            "instance": instance_name,
            "slug": f"{of_entity.get('slug')}-{of_instance.get('slug')}",
        },
        {
            **dict.fromkeys(defaults, f"{file}: defaults"),
            **dict.fromkeys(of_entity, f"{file}: entities.{entity_name}"),
            **dict.fromkeys(of_instance, f"{file}: instances.{instance_name}"),
            "slug": f"{file}: entities.{entity_name} of instances.{instance_name}",
        },
    )
