"""The adapters of the extract function."""

from functools import cache

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.adapters.http import HttpxClient
from shared.extract.run import ExtractPorts
from shared.registry.load import registry
from shared.sources.families import FAMILIES
from shared.wiring.publisher import PublisherOnDemand


@cache
def extract_ports() -> ExtractPorts:
    """What extracting needs."""
    chosen = wiring.settings()
    return ExtractPorts(
        registry=registry(),
        families=FAMILIES,
        landing=wiring.bucket(chosen.landing_bucket),
        quarantine=wiring.bucket(chosen.quarantine_bucket),
        spool=wiring.bucket(chosen.spool_bucket),
        documents=wiring.documents(),
        http=HttpxClient(),
        secrets=wiring.secrets(),
        publisher=PublisherOnDemand(chosen.project),
        clock=SystemClock(),
        new_token=wiring.new_token,
        base_urls=chosen.base_urls,
        lease_seconds=chosen.lease_seconds,
        soft_deadline_seconds=chosen.soft_deadline_seconds,
    )
