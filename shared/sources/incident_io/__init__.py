"""incident.io: incidents of a workspace, read by the day of their last update."""

from shared.sources.incident_io.family import IncidentIo

__all__ = ["IncidentIo"]
