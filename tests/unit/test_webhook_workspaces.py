"""The webhook's short reading of the registry says what the whole one says."""

from pathlib import Path
from typing import Any

import pytest

from shared.errors import ConfigurationError
from shared.registry import registry
from shared.spool import spooled_name
from shared.webhooks.receive import workspace_of
from shared.webhooks.workspaces import read_webhook_secrets, webhook_secrets


def test_both_readings_agree() -> None:
    """Every workspace's secret, by the same name; and each has a path."""
    sources = [source for source in registry().sources.values() if "webhook_secret" in source.settings]
    whole = {source.settings["workspace"]: source.settings["webhook_secret"] for source in sources if source.enabled}
    assert whole
    assert read_webhook_secrets() == whole
    for workspace in whole:
        assert workspace_of(f"/incident-io/{workspace}", "") == workspace
        assert spooled_name(workspace, "x").startswith(workspace)


def block(**changes: Any) -> dict[str, Any]:
    return {"settings": {"workspace": "w", "webhook_secret": "s"}, **changes}


def test_a_workspace_that_is_switched_off_has_no_webhook() -> None:
    assert webhook_secrets({"instances": {"w": block()}}) == {"w": "s"}
    assert webhook_secrets({"instances": {"w": block(enabled=False)}}) == {}
    assert webhook_secrets({"instances": {"w": block(settings={"workspace": "w"})}}) == {}


@pytest.mark.parametrize(
    "text", ["", "instances:", "instances: [a]", "instances: {w: {}}", "instances: {w: {settings: 1}}"]
)
def test_a_file_that_is_no_registry_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "incident_io.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"incident_io\.yaml"):
        read_webhook_secrets(path)
