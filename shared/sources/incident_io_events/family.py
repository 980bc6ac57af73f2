"""What the spooled events of incident.io make us read: themselves, and the current objects that they are about."""

from shared.registry.model import Source
from shared.sources.by_contract import ByContract
from shared.sources.family import Send
from shared.sources.incident_io import IncidentIo
from shared.sources.incident_io_events.events import Events
from shared.sources.incident_io_events.follow_up_changes import FollowUpChanges
from shared.sources.incident_io_events.incident_changes import IncidentChanges
from shared.sources.incident_io_events.update_changes import UpdateChanges


class IncidentIoEvents(ByContract):
    """A reader a contract, all of the same listing."""

    def __init__(self) -> None:
        super().__init__(
            {
                "incident_events": Events(),
                "incidents": IncidentChanges(),
                "follow_ups": FollowUpChanges(),
                "incident_updates": UpdateChanges(),
            }
        )
        self._vendor = IncidentIo()

    def verify(self, source: Source, send: Send) -> None:
        """The key must belong to the workspace, as for polling; the events themselves are read without one."""
        if source.contract != "incident_events":
            self._vendor.verify(source, send)
