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
from shared.registry.ai_tools import AiToolSettings
from shared.registry.coinmarketcap import CoinMarketCapSettings
from shared.registry.github import GithubSettings
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Pipeline, Source
from shared.registry.shop import ShopSettings
from shared.registry.slo import SloSettings

REGISTRY_FOLDER = Path(__file__).parent

AI_TOOLS = ("amp", "chatgpt", "claude_code", "copilot", "cursor", "firebender", "g2", "goose")

SETTINGS_BY_FAMILY: Mapping[str, type[BaseModel]] = {
    "incident_io": IncidentIoSettings,
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
        for name, block in _blocks(document, file, "pipelines", problems).items():
            where = f"{file}: pipelines.{name}"
            if name in pipelines:
                problems.append(f"{where}: another pipeline has this name")
            pipeline = _parse(Pipeline, where, {**_mapping(block), "name": name}, problems)
            if pipeline is not None:
                pipelines[name] = pipeline
        defaults = {"family": document.get("family"), **_mapping(document.get("defaults"))}
        for name, block in _blocks(document, file, "sources", problems).items():
            where = f"{file}: sources.{name}"
            if name in sources:
                problems.append(f"{where}: another source has this name")
            values = {**defaults, **_mapping(block), "name": name}
            source = _parse(Source, where, values, problems)
            if source is not None:
                sources[name] = source
            _parse_settings(values, where, problems)
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


def _blocks(document: Mapping[str, Any], file: str, key: str, problems: list[str]) -> dict[str, Any]:
    blocks = document.get(key) or {}
    if not isinstance(blocks, dict):
        problems.append(f"{file}: {key}: must be a mapping of blocks by name")
    return _mapping(blocks)


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


def _parse_settings(values: Mapping[str, Any], where: str, problems: list[str]) -> None:
    model = SETTINGS_BY_FAMILY.get(str(values["family"]))
    if model is None:
        known = ", ".join(sorted(SETTINGS_BY_FAMILY))
        problems.append(f"{where}: unknown family {values['family']!r}; known: {known}")
    else:
        _parse(model, f"{where}.settings", _mapping(values.get("settings")), problems)


def _relations(pipelines: Mapping[str, Pipeline], sources: Mapping[str, Source], contracts: set[str]) -> list[str]:
    problems = []
    for source in sources.values():
        parts = "_".join(part for part in (source.domain, source.instance, source.entity) if part)
        if source.name != parts:
            problems.append(f"sources.{source.name}: its domain, instance and entity make the name {parts!r}")
        if source.pipeline not in pipelines:
            problems.append(f"sources.{source.name}: unknown pipeline {source.pipeline!r}")
        if source.contract not in contracts:
            problems.append(f"sources.{source.name}: unknown contract {source.contract!r}")
    seen: dict[str, str] = {}
    for source in sources.values():
        other = seen.setdefault(source.slug, source.name)
        if other != source.name:
            problems.append(f"sources.{source.name}: slug {source.slug!r} is taken by {other}")
    return problems + _pseudonyms_differ(sources.values())


def _pseudonyms_differ(sources: Iterable[Source]) -> list[str]:
    problems = []
    by_key: dict[str, tuple[str, set[str]]] = {}
    for source in sources:
        if (chosen := source.pseudonymise) is None:
            continue
        domains = set(chosen.email_domains_without_dots)
        other, theirs = by_key.setdefault(chosen.secret, (source.name, domains))
        if theirs != domains:
            problems.append(
                f"sources.{source.name}: pseudonymise.email_domains_without_dots differs from that of {other}, which "
                "has the same key: one person would have two pseudonyms"
            )
    return problems
