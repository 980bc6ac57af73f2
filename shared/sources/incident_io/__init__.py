"""incident.io: the incidents of a workspace and what hangs on them."""

from shared.sources.incident_io.family import IncidentIo

__all__ = ["IncidentIo"]
