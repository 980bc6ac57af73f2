"""Reading the registry: YAML files in, one validated Registry out, every problem named at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.contracts import CONTRACTS
from shared.errors import ConfigurationError, UnknownSource
from shared.registry.ai_tools import AiToolSettings
from shared.registry.coinmarketcap import CoinMarketCapSettings
from shared.registry.github import GithubSettings
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Pipeline, Source
from shared.registry.product import Stated, blocks_of, expanded, mapping_of
from shared.registry.shop import ShopSettings
from shared.registry.slo import SloSettings

REGISTRY_FOLDER = Path(__file__).parent

AI_TOOLS = ("amp", "chatgpt", "claude_code", "copilot", "cursor", "firebender", "g2", "goose")

SETTINGS_BY_FAMILY: Mapping[str, type[BaseModel]] = {
    "incident_io": IncidentIoSettings,
    "incident_io_events": IncidentIoSettings,
    **dict.fromkeys(AI_TOOLS, AiToolSettings),
    "coinmarketcap": CoinMarketCapSettings,
    "github": GithubSettings,
    "oebot": SloSettings,
    "shop": ShopSettings,
    "vantage": SloSettings,
}
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
        for name, block in blocks_of(document, file, "pipelines", problems).items():
            where = f"{file}: pipelines.{name}"
            if name in pipelines:
                problems.append(f"{where}: another pipeline has this name")
            stated = Stated(where, name, {**mapping_of(block), "name": name})
            pipeline = _parse(Pipeline, stated, stated.values, problems)
            if pipeline is not None:
                pipelines[name] = pipeline
        for stated in (*_stated(document, file, problems), *expanded(document, file, problems)):
            if stated.name in sources:
                problems.append(f"{stated.where}: another source has this name")
            source = _parse(Source, stated, stated.values, problems)
            if source is not None:
                sources[stated.name] = source
            _parse_settings(stated, problems)
    problems += _relations(pipelines, sources, set(contracts))
    if problems:
        raise ConfigurationError([f"registry: {problem}" for problem in problems])
    return Registry(pipelines, sources)


def read_registry(folder: Path = REGISTRY_FOLDER) -> Registry:
    """The registry of the YAML files in `folder`. Raises ConfigurationError."""
    documents: dict[str, Any] = {}
    problems = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            documents[path.name] = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader
        except yaml.YAMLError as exc:
            problems.append(f"registry: {path.name}: {' '.join(str(exc).split())}")
    if problems:
        raise ConfigurationError(problems)
    return parse_registry(documents, CONTRACTS)


@cache
def registry() -> Registry:
    """The registry that ships with the code, read once a process."""
    return read_registry()


def _stated(document: Mapping[str, Any], file: str, problems: list[str]) -> Iterator[Stated]:
    defaults = {"family": document.get("family"), **mapping_of(document.get("defaults"))}
    for name, block in blocks_of(document, file, "sources", problems).items():
        yield Stated(f"{file}: sources.{name}", name, {**defaults, **mapping_of(block), "name": name})


class _Loader(yaml.SafeLoader):
    """Refuses a key that comes twice: a copied block whose name was not changed must not hide the first one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As SafeLoader does. Raises ConstructorError for a key that comes twice."""
        seen: set[object] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
                continue
            key = self.construct_object(key_node)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} comes twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


M = TypeVar("M", bound=BaseModel)


def _parse(
    model: type[M], stated: Stated, values: Mapping[str, Any], problems: list[str], *, inside: str = ""
) -> M | None:
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False):
            path = [*([inside] if inside else []), *(str(part) for part in error["loc"])]
            problem = f"{stated.place(path)}: {error['msg']}"
            # a block that several sources come from is wrong once
            if problem not in problems:
                problems.append(problem)
        return None


def _parse_settings(stated: Stated, problems: list[str]) -> None:
    family = stated.values["family"]
    model = SETTINGS_BY_FAMILY.get(str(family))
    if model is None:
        known = ", ".join(sorted(SETTINGS_BY_FAMILY))
        problems.append(f"{stated.where}: unknown family {family!r}; known: {known}")
    else:
        _parse(model, stated, mapping_of(stated.values.get("settings")), problems, inside="settings")


def _relations(pipelines: Mapping[str, Pipeline], sources: Mapping[str, Source], contracts: set[str]) -> list[str]:
    problems = []
    for source in sources.values():
        parts = "_".join(part for part in (source.domain, source.instance, source.entity) if part)
        if source.name != parts:
            problems.append(f"sources.{source.name}: its domain, instance and entity make the name {parts!r}")
        if source.pipeline not in pipelines:
            problems.append(f"sources.{source.name}: unknown pipeline {source.pipeline!r}")
        if source.cursor == "existence" and "workspace" not in source.settings:
            problems.append(f"sources.{source.name}: cursor existence reads a workspace's spool; settings name none")
        if source.contract not in contracts:
            problems.append(f"sources.{source.name}: unknown contract {source.contract!r}")
    seen: dict[str, str] = {}
    for source in sources.values():
        other = seen.setdefault(source.slug, source.name)
        if other != source.name:
            problems.append(f"sources.{source.name}: slug {source.slug!r} is taken by {other}")
    return problems
