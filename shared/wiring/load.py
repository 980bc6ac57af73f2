"""The adapters of the load function."""

from functools import cache

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.load.run import LoadPorts
from shared.registry.load import registry
from shared.wiring.warehouse import warehouse


@cache
def load_ports() -> LoadPorts:
    """What loading needs."""
    chosen = wiring.settings()
    return LoadPorts(
        registry=registry(),
        landing=wiring.bucket(chosen.landing_bucket),
        quarantine=wiring.bucket(chosen.quarantine_bucket),
        warehouse=warehouse(),
        clock=SystemClock(),
        new_token=wiring.new_token,
        closing=wiring.closing_ports(),
    )
