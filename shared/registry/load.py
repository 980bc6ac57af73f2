"""Reading the registry: YAML files in, one validated Registry out, every problem named at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.contracts import CONTRACTS
from shared.errors import ConfigurationError, UnknownSource
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Pipeline, Source

REGISTRY_FOLDER = Path(__file__).parent

SETTINGS_BY_FAMILY: Mapping[str, type[BaseModel]] = {"incident_io": IncidentIoSettings}
"""What is odd about a family's sources, typed."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Every pipeline and source by name."""

    pipelines: Mapping[str, Pipeline]
    sources: Mapping[str, Source]

    def source(self, name: str) -> Source:
        """The source of that name. Raises UnknownSource naming the known ones."""
        try:
            return self.sources[name]
        except KeyError:
            known = ", ".join(sorted(self.sources))
            raise UnknownSource(f"unknown source {name!r}; the registry knows: {known}") from None

    def pipeline_of(self, source: Source) -> Pipeline:
        """The pipeline that the source belongs to."""
        return self.pipelines[source.pipeline]

    def enabled(self, pipeline: str) -> list[Source]:
        """The pipeline's enabled sources, by name."""
        return [s for _, s in sorted(self.sources.items()) if s.enabled and s.pipeline == pipeline]


def parse_registry(documents: Mapping[str, Any], contracts: Iterable[str]) -> Registry:
    """A Registry from parsed YAML documents by file name.

    Raises ConfigurationError that lists every problem of every file.
    """
    problems: list[str] = []
    pipelines: dict[str, Pipeline] = {}
    sources: dict[str, Source] = {}
    for file, document in documents.items():
        if not isinstance(document, dict):
            problems.append(f"{file}: must be a mapping")
            continue
        for name, block in (document.get("pipelines") or {}).items():
            pipeline = _parse(Pipeline, f"{file}: pipelines.{name}", {**_mapping(block), "name": name}, problems)
            if pipeline is not None:
                pipelines[name] = pipeline
        family, defaults = document.get("family"), _mapping(document.get("defaults"))
        for name, block in (document.get("sources") or {}).items():
            where = f"{file}: sources.{name}"
            if name in sources:
                problems.append(f"{where}: another source has this name")
            source = _parse(Source, where, {**defaults, **_mapping(block), "name": name, "family": family}, problems)
            if source is not None:
                sources[name] = source
                _parse_settings(source, where, problems)
    problems += _relations(pipelines, sources, set(contracts))
    if problems:
        raise ConfigurationError([f"registry: {problem}" for problem in problems])
    return Registry(pipelines, sources)


def read_registry(folder: Path = REGISTRY_FOLDER) -> Registry:
    """The registry of the YAML files in `folder`. Raises ConfigurationError."""
    documents = {path.name: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))}
    return parse_registry(documents, CONTRACTS)


@cache
def registry() -> Registry:
    """The registry that ships with the code, read once a process."""
    return read_registry()


def _mapping(block: object) -> dict[str, Any]:
    return dict(block) if isinstance(block, dict) else {}


M = TypeVar("M", bound=BaseModel)


def _parse(model: type[M], where: str, values: dict[str, Any], problems: list[str]) -> M | None:
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in error["loc"])
            problems.append(f"{where}{'.' if place else ''}{place}: {error['msg']}")
        return None


def _parse_settings(source: Source, where: str, problems: list[str]) -> None:
    model = SETTINGS_BY_FAMILY.get(source.family)
    if model is None:
        known = ", ".join(sorted(SETTINGS_BY_FAMILY))
        problems.append(f"{where}: unknown family {source.family!r}; known: {known}")
    else:
        _parse(model, f"{where}.settings", source.settings, problems)


def _relations(pipelines: Mapping[str, Pipeline], sources: Mapping[str, Source], contracts: set[str]) -> list[str]:
    problems = []
    for source in sources.values():
        if source.pipeline not in pipelines:
            problems.append(f"sources.{source.name}: unknown pipeline {source.pipeline!r}")
        if source.contract not in contracts:
            problems.append(f"sources.{source.name}: unknown contract {source.contract!r}")
    seen: dict[str, str] = {}
    for source in sources.values():
        other = seen.setdefault(source.slug, source.name)
        if other != source.name:
            problems.append(f"sources.{source.name}: slug {source.slug!r} is taken by {other}")
    return problems
