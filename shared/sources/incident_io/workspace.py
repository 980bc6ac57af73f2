"""Which workspace a source reads."""

from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.settings import typed_settings


def settings_of(source: Source) -> IncidentIoSettings:
    """The workspace's settings, typed; parsed once."""
    return typed_settings(IncidentIoSettings, source)
