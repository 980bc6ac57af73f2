"""The vendor's paths that more than one module speaks of."""

from __future__ import annotations

from local.sources.kit.faults import ListPaths

FAMILY = "incident_io"
LIST_PATH = "/v2/incidents"
FOLLOW_UPS_PATH = "/v3/follow_ups"
LISTS = ListPaths(records=(LIST_PATH,), paged=(LIST_PATH,), growing=(LIST_PATH,))
