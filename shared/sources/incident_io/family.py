"""incident.io's lists by contract, and whether the key is the right one."""

from shared.errors import AuthenticationFailed
from shared.extract.pages import PageRequest
from shared.registry.model import Source
from shared.sources.by_contract import ByContract, ListReader
from shared.sources.family import Send
from shared.sources.incident_io.census import Census
from shared.sources.incident_io.follow_ups import FollowUps
from shared.sources.incident_io.identity import PATH, Identity, identity_of
from shared.sources.incident_io.incidents import STATUS_CATEGORIES, Incidents
from shared.sources.incident_io.listing import Snapshot
from shared.sources.incident_io.severities import severity_rows
from shared.sources.incident_io.statuses import status_rows
from shared.sources.incident_io.updates import IncidentUpdates
from shared.sources.incident_io.workspace import settings_of

__all__ = ["STATUS_CATEGORIES", "IncidentIo", "settings_of"]


class IncidentIo(ByContract):
    """Incidents, what was said of them, what they leave to do, and the workspace's own statuses and severities."""

    def __init__(self) -> None:
        super().__init__(
            {
                "incidents": Incidents(),
                "follow_ups": FollowUps(),
                "incident_updates": IncidentUpdates(),
                "incident_statuses": Snapshot("/v1/incident_statuses", "incident_statuses", status_rows),
                "severities": Snapshot("/v1/severities", "severities", severity_rows),
            }
        )
        self._census = Census()

    def verify(self, source: Source, send: Send) -> None:
        """The key must belong to the workspace: the vendor has one host for all, only the key tells them apart."""
        expected = settings_of(source).identity
        identity: Identity = send(PageRequest(PATH), identity_of)
        actual = identity.workspace
        if actual != expected:
            raise AuthenticationFailed(
                f"{source.name}: the key in secret {source.secret!r} belongs to workspace {actual!r}, expected "
                f"{expected!r}; put the right workspace's key into that secret",
                secret=source.secret,
            )

    def _reader(self, source: Source) -> ListReader:
        # both bring incidents: those that changed, or all of them to find out which are gone
        if source.contract == "incidents" and source.cursor == "snapshot":
            return self._census
        return super()._reader(source)
