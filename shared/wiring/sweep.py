"""The adapters of the sweep function."""

from datetime import timedelta
from functools import cache

from shared import wiring
from shared.registry.load import registry
from shared.sweep.run import SweepPorts
from shared.wiring.publisher import PublisherOnDemand


@cache
def sweep_ports() -> SweepPorts:
    """What sweeping needs."""
    chosen = wiring.settings()
    return SweepPorts(
        registry=registry(),
        landing=wiring.bucket(chosen.landing_bucket),
        quarantine=wiring.quarantine_bucket(),
        publisher=PublisherOnDemand(chosen.project),
        closing=wiring.closing_ports(),
        grace=timedelta(seconds=chosen.sweep_grace_seconds),
    )
