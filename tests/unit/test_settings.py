"""Settings name every problem at once, and refuse a variable that nothing reads."""

import pytest

from shared.errors import ConfigurationError
from shared.settings import Settings

COMPLETE = {
    "OPP_PROJECT": "p",
    "OPP_REGION": "europe-west3",
    "OPP_LANDING_BUCKET": "landing",
    "OPP_STATE_BUCKET": "state",
    "OPP_SPOOL_BUCKET": "spool",
    "OPP_QUARANTINE_BUCKET": "quarantine",
    "OPP_ARTIFACTS_BUCKET": "artifacts",
}
SNOWFLAKE = {
    "OPP_SNOWFLAKE_ACCOUNT": "a",
    "OPP_SNOWFLAKE_USER": "u",
    "OPP_SNOWFLAKE_ROLE": "r",
    "OPP_SNOWFLAKE_WAREHOUSE": "w",
}


def _problems(**changes: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({**COMPLETE, **changes})
    return caught.value.problems


def test_the_required_ones_suffice() -> None:
    """The rest has defaults."""
    settings = Settings.from_env({**COMPLETE, "PATH": "/bin"})
    assert (settings.project, settings.secrets, settings.dbt_job) == ("p", "secret-manager", "dbt")
    assert settings.snowflake is None
    assert settings.lease_seconds > 0


def test_everything_that_is_missing_is_named_at_once() -> None:
    """Not one a deployment."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({})
    assert sorted(caught.value.problems) == sorted(f"settings: {name} is missing" for name in COMPLETE)


def test_missing_bad_and_unknown_ones_are_named_together() -> None:
    """One error."""
    problems = "\n".join(
        _problems(
            OPP_PROJECT="",
            OPP_LEASE_SECONDS="soon",
            OPP_SECRETS="drawer",
            OPP_LANDING_BUKET="typo",
            OPP_SNOWFLAKE_ACCOUNT="a",
            OPP_SNOWFLAKE_PORT="x",
        )
    )
    for part in (
        "OPP_PROJECT is missing",
        "OPP_LEASE_SECONDS is 'soon'",
        "OPP_SECRETS is 'drawer', expected one of environment, secret-manager",
        "OPP_LANDING_BUKET is set, but nothing reads it",
        "OPP_SNOWFLAKE_USER is missing",
        "OPP_SNOWFLAKE_PORT is 'x'",
    ):
        assert part in problems


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0", "1e999", "ten", "1,5"])
def test_a_duration_is_a_number_above_zero(value: str) -> None:
    """A lease that never ends, or has ended before it begins, protects nothing."""
    for name in ("OPP_LEASE_SECONDS", "OPP_SOFT_DEADLINE_SECONDS", "OPP_SWEEP_GRACE_SECONDS"):
        (problem,) = _problems(**{name: value})
        assert problem.startswith(f"settings: {name} is {value!r}")


@pytest.mark.parametrize("value", ["8.5", "70000", "-1"])
def test_a_port_is_one(value: str) -> None:
    """A whole number that a machine has."""
    assert any("OPP_SNOWFLAKE_PORT" in p for p in _problems(**SNOWFLAKE, OPP_SNOWFLAKE_PORT=value))


def test_variables_of_a_part_that_is_switched_off_are_known() -> None:
    """The extract function shares an environment with the load function, locally."""
    assert Settings.from_env({**COMPLETE, "OPP_SNOWFLAKE_USER": "u"}).snowflake is None


def test_the_warehouse_has_defaults_where_they_are_sensible() -> None:
    """Database, schema and stage."""
    snowflake = Settings.from_env({**COMPLETE, **SNOWFLAKE, "OPP_SNOWFLAKE_PORT": "8443"}).snowflake
    assert snowflake is not None
    assert (snowflake.database, snowflake.schema, snowflake.stage, snowflake.port) == ("RAW", "PUBLIC", "LANDING", 8443)


def test_secrets_and_addresses_have_names_of_their_own() -> None:
    """A secret's value is read by reference at its use, and is no part of the settings."""
    settings = Settings.from_env(
        {**COMPLETE, "OPP_SECRET_INCIDENT_IO_ALPHA": "hidden", "OPP_BASE_URL_INCIDENT_IO": "http://127.0.0.1:1"}
    )
    assert settings.base_urls == {"incident_io": "http://127.0.0.1:1"}
    assert "hidden" not in repr(settings)
