"""Settings of every tier: property tests leave no files behind, and never fail for the machine being slow."""

from hypothesis import HealthCheck, settings

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
