"""The adapters of the sweep function."""

from datetime import timedelta
from functools import cache

from shared import wiring
from shared.registry.load import registry
from shared.sweep.run import SweepPorts
from shared.wiring.publisher import PublisherOnDemand

_PULL_SECONDS = 1.0
# An empty subscription holds its pull for as long; there is one a source, and what is missed comes with the next round.


@cache
def sweep_ports() -> SweepPorts:
    """What sweeping needs."""
    from shared.adapters.pubsub import PubSubSubscriber

    chosen = wiring.settings()
    return SweepPorts(
        registry=registry(),
        landing=wiring.bucket(chosen.landing_bucket),
        quarantine=wiring.quarantine_bucket(),
        publisher=PublisherOnDemand(chosen.project),
        closing=wiring.closing_ports(),
        subscriber=PubSubSubscriber(chosen.project, pull_seconds=_PULL_SECONDS),
        grace=timedelta(seconds=chosen.sweep_grace_seconds),
    )
