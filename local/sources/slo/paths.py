"""Where each monitor answers, and which of its lists the faults can act on."""

from __future__ import annotations

from local.sources.kit.faults import ListPaths

OEBOT, VANTAGE = "oebot", "vantage"
OEBOT_SECRET, VANTAGE_SECRET = "oebot", "vantage"
OBJECTIVES = "/api/v1/objectives"
MEASUREMENTS = "/api/v1/objectives/{id}/measurements"
SLOS = "/v2/slos"
SLO_WINDOWS = "/v2/slo_windows/query"
OEBOT_LISTS = ListPaths(records=(OBJECTIVES, MEASUREMENTS), paged=(OBJECTIVES, MEASUREMENTS))
VANTAGE_LISTS = ListPaths(records=(SLOS, SLO_WINDOWS), paged=(SLOS, SLO_WINDOWS))
