"""The list of doubles that the common server mounts. A new one is a line here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from local.sources.ai_tools.mounted import ai_tool_families
from local.sources.coinmarketcap.mounted import coinmarketcap_family
from local.sources.github.mounted import github_family
from local.sources.incident_io.archive import ArchiveIncident
from local.sources.incident_io.mounted import incident_io_family
from local.sources.incident_io.webhooks import WebhookTarget
from local.sources.kit.family import Family
from local.sources.shop.mounted import shop_family
from local.sources.slo.mounted import slo_families

_WITHOUT_INCIDENTS = datetime(2025, 1, 1, tzinfo=UTC)


def families(archived: Sequence[ArchiveIncident], webhooks: WebhookTarget | None = None) -> tuple[Family, ...]:
    """Every family; those that tell of the same disruptions tell of the archived incidents.

    `webhooks` is told of the incidents' changes.
    """
    start = beginning(archived)
    return (
        incident_io_family(archived, webhooks),
        *ai_tool_families(),
        *slo_families(archived, start),
        shop_family(start),
        github_family(start),
        coinmarketcap_family(start),
    )


def beginning(archived: Sequence[ArchiveIncident]) -> datetime:
    """Where the invented worlds begin: with the year of the first incident, so that they tell of the same time.

    An archive of many years gets the last two: the shop's past alone would keep a reader busy at its rate limit.
    """
    started = [incident.started_at.astimezone(UTC) for incident in archived] or [_WITHOUT_INCIDENTS]
    return datetime(max(min(started).year, max(started).year - 1), 1, 1, tzinfo=UTC)
