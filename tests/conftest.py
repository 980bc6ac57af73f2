"""Settings of every tier: property tests leave no files behind, and never fail for the machine being slow."""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

# Whatever the tests talk to is on loopback, without TLS. Each httpx client would load the authorities of the public web
# all the same, which costs 20 ms of CPU, and stories that wait make one after the other.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)

settings.register_profile(
    "suite",
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,  # one commit, one result; a longer random search is `--hypothesis-profile=search`
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", max_examples=2000, deadline=None, database=None)
settings.load_profile("suite")
