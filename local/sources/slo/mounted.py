"""The two monitors as families of the common server, over one world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from local.sources.incident_io.archive import ArchiveIncident
from local.sources.incident_io.generator import COMPONENTS
from local.sources.kit.family import Family, OpenedDouble, Surroundings
from local.sources.slo.impacts import impacts_of
from local.sources.slo.oebot import Oebot
from local.sources.slo.paths import OEBOT, OEBOT_LISTS, OEBOT_SECRET, VANTAGE, VANTAGE_LISTS, VANTAGE_SECRET
from local.sources.slo.vantage import Vantage
from local.sources.slo.world import SloWorld


def services_of(incidents: Sequence[ArchiveIncident]) -> tuple[str, ...]:
    """The incidents' components, the most often mentioned first (by name where equal); without any, invented ones."""
    mentions = Counter(component for incident in incidents for component in incident.components)
    return tuple(sorted(mentions, key=lambda name: (-mentions[name], name))) or COMPONENTS


def slo_world(incidents: Sequence[ArchiveIncident], seed: int, start: datetime) -> SloWorld:
    """The world whose bad hours are those of the incidents."""
    return SloWorld(seed, start, services_of(incidents), impacts_of(incidents))


def slo_families(incidents: Sequence[ArchiveIncident], start: datetime) -> tuple[Family, Family]:
    """OEBOT and Vantage; both tell of the same services and incidents."""
    world = cache(lambda seed: slo_world(incidents, seed, start))

    def open_oebot(surroundings: Surroundings) -> OpenedDouble:
        return Oebot(surroundings, world(surroundings.seed)).opened()

    def open_vantage(surroundings: Surroundings) -> OpenedDouble:
        return Vantage(surroundings, world(surroundings.seed)).opened()

    return (
        Family(OEBOT, (OEBOT_SECRET,), OEBOT_LISTS, open_oebot),
        Family(VANTAGE, (VANTAGE_SECRET,), VANTAGE_LISTS, open_vantage),
    )
