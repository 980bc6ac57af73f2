"""Every family of sources by the name that the registry gives it."""

from collections.abc import Mapping

from shared.sources.family import Family
from shared.sources.incident_io import IncidentIo

FAMILIES: Mapping[str, Family] = {"incident_io": IncidentIo()}
