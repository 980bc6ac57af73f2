"""The incident.io double as one family of the common server."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette

from local.sources.incident_io.api import vendor_routes
from local.sources.incident_io.archive import ArchiveIncident
from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.paths import FAMILY, LISTS
from local.sources.incident_io.webhooks import WebhookSender, WebhookTarget
from local.sources.incident_io.workspaces import load_workspaces
from local.sources.kit.family import Family, OpenedDouble, Surroundings


def incident_io_family(archived: Sequence[ArchiveIncident], webhooks: WebhookTarget | None = None) -> Family:
    """A secret for each workspace, whose key opens it: `incident-io-companya` and so on.

    `webhooks` is told what changed whenever the clock moves.
    """
    workspaces = {f"incident-io-{workspace.name}": workspace.name for workspace in load_workspaces()}

    def open_double(surroundings: Surroundings) -> OpenedDouble:
        keys = {key: workspaces[reference] for reference, key in surroundings.keys.items()}
        if len(keys) < len(surroundings.keys):
            raise ValueError("two workspaces have the same key: the key decides the workspace, so they must differ")
        double = IncidentIoDouble(
            archived,
            keys,
            surroundings.clock,
            faults=surroundings.faults,
            rate_limited=surroundings.rate_limited,
            wall_clock=surroundings.wall_clock,
        )
        if webhooks is not None:
            stores = [desk.store for desk in double.desks.values()]
            surroundings.clock.watch(WebhookSender(webhooks, stores, double.now, surroundings.seed).moved)
        return OpenedDouble(Starlette(routes=vendor_routes(double)), double.stats)

    return Family(FAMILY, tuple(workspaces), LISTS, open_double)
