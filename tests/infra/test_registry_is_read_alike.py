"""Terraform expands the registry by itself: both readers are held to one expectation.

`registry.tftest.hcl` holds Terraform to it.
"""

import json
from typing import Any

import pytest

from shared.registry import Registry, read_registry
from shared.registry.load import REGISTRY_FOLDER
from tests.infra.configuration import ROOT, TERRAFORM, argument, block, text_of

SMALL = TERRAFORM / "tests" / "registry"


def _seen(known: Registry) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "slug": source.slug,
            "pipeline": source.pipeline,
            "cron": known.pipeline_of(source).cron,
            "secret": source.secret,
            "family": source.family,
            "enabled": source.enabled,
            "reads_spool": source.cursor == "existence",
            "webhook_secret": source.settings.get("webhook_secret"),
        }
        for name, source in known.sources.items()
    }


def test_the_small_registry_is_what_terraform_is_told_to_expect() -> None:
    """Defaults, an entity's values over them, an instance's over those; sources one by one; disabled ones."""
    expected = json.loads((SMALL / "expected.json").read_text())
    assert _seen(read_registry(SMALL)) == expected
    assert {True, False} == {source["enabled"] for source in expected.values()}
    assert len({source["secret"] for source in expected.values()}) < len(expected)


def test_the_grown_registry_has_one_workspace_more_and_nothing_else() -> None:
    """What registry.tftest.hcl compares."""
    small, grown = (_seen(read_registry(SMALL.with_name(name))) for name in ("registry", "registry_grown"))
    assert {name: grown[name] for name in small} == small
    assert set(grown) - set(small) == {"incident_io_south_census", "incident_io_south_incidents"}


def test_terraform_reads_the_registry_that_ships_with_the_code() -> None:
    """One folder, and every file of it."""
    values = block(text_of("registry.tf"), "locals")
    assert argument(values, "repository") == "${path.module}/../.."
    assert '"${local.repository}/shared/registry"' in values
    assert (ROOT / "shared" / "registry") == REGISTRY_FOLDER
    assert 'fileset(local.registry, "*.yaml")' in values


@pytest.mark.parametrize("key", ["slug", "pipeline", "secret", "enabled", "cursor"])
def test_terraform_takes_every_value_that_it_needs_from_the_source(key: str) -> None:
    """Nothing is fixed beside the registry."""
    assert f"source.{key}" in block(text_of("registry.tf"), "locals")
