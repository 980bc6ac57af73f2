"""Which workspaces have a webhook, and what their secret is called: read from the registry's own file.

The whole registry takes pydantic and every contract along, a quarter of this function's cold start. These two fields
are validated where the registry is loaded; a test holds both readings together.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from shared.errors import ConfigurationError

_FILE = Path(__file__).parent.parent / "registry" / "incident_io.yaml"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_webhook_secrets(path: Path = _FILE) -> dict[str, str]:
    """The reference of each enabled workspace's webhook secret, by workspace.

    Raises ConfigurationError when the file has not the form of a registry.
    """
    return webhook_secrets(yaml.load(path.read_text(), _LOADER))  # noqa: S506 - a SafeLoader either way


def webhook_secrets(document: Mapping[str, Any]) -> dict[str, str]:
    """As read_webhook_secrets, of a parsed file."""
    found = {}
    try:
        for instance in document["instances"].values():
            settings = instance["settings"]
            reference = settings.get("webhook_secret")
            if reference is not None and instance.get("enabled", True):
                found[str(settings["workspace"])] = str(reference)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ConfigurationError([f"registry: {_FILE.name}: no webhook secrets can be read from it: {exc!r}"]) from exc
    return found
