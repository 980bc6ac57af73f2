"""The registry: pipelines and sources as data, read by Python, the local stack, dbt and Terraform alike."""

from shared.registry.load import Registry, read_registry, registry
from shared.registry.model import Pipeline, Source

__all__ = ["Pipeline", "Registry", "Source", "read_registry", "registry"]
