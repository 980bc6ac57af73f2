"""The smallest incident.io that an extraction needs: who a key belongs to, and pages of incidents."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.instants import to_text
from shared.registry import registry
from tests.contract.servers import Answer, Asked, Server, json_reply

KEYS = {source.secret: f"sk-never-shown-{source.secret}" for source in registry().sources.values()}
"""An invented key for each secret; none may appear anywhere."""

_FIXTURE = Path(__file__).parents[1] / "fixtures" / "incident_io" / "incidents_page.json"
_RECORD: dict[str, Any] = json.loads(_FIXTURE.read_text())["incidents"][0]


def incident(incident_id: str, at: datetime, **changes: Any) -> dict[str, Any]:
    """A record of the fixture with its own id, created and last updated at `at`."""
    return {**_RECORD, "id": incident_id, "created_at": to_text(at), "updated_at": to_text(at), **changes}


@dataclass
class Vendor:
    """Every key sees `incidents`, in pages of one request; `listing` answers in place of that when it is set."""

    server: Server
    incidents: list[Any] = field(default_factory=list)
    identity: Callable[[str], str] | None = None
    listing: Answer | None = None

    def answer(self, asked: Asked, connection: socket.socket) -> None:
        """One request."""
        key = asked.headers.get("authorization", "").removeprefix("Bearer ")
        incidents = [s for s in registry().sources.values() if s.family == "incident_io"]
        workspaces = {KEYS[s.secret]: s.settings["identity"] for s in incidents}
        if key not in workspaces:
            json_reply(401, '{"type": "authentication_error"}')(asked, connection)
        elif asked.target.startswith("/v1/identity"):
            name = self.identity(key) if self.identity else workspaces[key]
            identity = {"name": "Key", "roles": [], "dashboard_url": f"https://app.incident.io/{name}"}
            json_reply(200, json.dumps({"identity": identity}))(asked, connection)
        elif asked.target.startswith("/v2/incidents/"):
            self._show(asked.target.rpartition("/")[2])(asked, connection)
        elif asked.target.startswith("/v2/incident_updates"):
            json_reply(200, '{"incident_updates": [], "pagination_meta": {"page_size": 250}}')(asked, connection)
        elif self.listing is not None:
            self.listing(asked, connection)
        else:
            page = {"incidents": self.incidents, "pagination_meta": {"page_size": 250}}
            json_reply(200, json.dumps(page))(asked, connection)

    def _show(self, incident_id: str) -> Answer:
        for record in self.incidents:
            if record["id"] == incident_id:
                return json_reply(200, json.dumps({"incident": record}))
        return json_reply(404, '{"type": "not_found", "status": 404}')
