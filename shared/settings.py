"""Settings: one frozen value, built once from the environment, every missing or bad variable named in one error.

What differs by source is in the registry; what differs by environment is here. Secrets are references only. A variable
of ours that nothing reads is refused, so that a misspelt one cannot hide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal, cast

from shared.errors import ConfigurationError

PREFIX = "OPP_"
_FREE = ("OPP_SECRET_", "OPP_BASE_URL_")


@dataclass(frozen=True, slots=True)
class SnowflakeSettings:
    """How to reach Snowflake. With a `private_key_secret` by key pair; without one, the local stand-in."""

    account: str
    user: str
    role: str
    warehouse: str
    database: str
    schema: str
    stage: str
    private_key_secret: str | None
    host: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between environments."""

    project: str
    region: str
    landing_bucket: str
    state_bucket: str
    spool_bucket: str
    quarantine_bucket: str
    artifacts_bucket: str
    secrets: Literal["environment", "secret-manager"]
    dbt_job: str
    run_api: str
    lease_seconds: float
    soft_deadline_seconds: float
    sweep_grace_seconds: float
    dbt_target_path: str | None = None
    base_urls: Mapping[str, str] = field(default_factory=dict)
    snowflake: SnowflakeSettings | None = None

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises ConfigurationError that lists every missing, bad and unknown variable."""
        reader = _Reader(environment)
        settings = cls(
            project=reader.text("PROJECT"),
            region=reader.text("REGION"),
            landing_bucket=reader.text("LANDING_BUCKET"),
            state_bucket=reader.text("STATE_BUCKET"),
            spool_bucket=reader.text("SPOOL_BUCKET"),
            quarantine_bucket=reader.text("QUARANTINE_BUCKET"),
            artifacts_bucket=reader.text("ARTIFACTS_BUCKET"),
            secrets=cast(
                Literal["environment", "secret-manager"],
                reader.choice("SECRETS", ("environment", "secret-manager"), "secret-manager"),
            ),
            dbt_job=reader.text("DBT_JOB", "dbt"),
            run_api=reader.text("RUN_API", "https://run.googleapis.com"),
            lease_seconds=reader.number("LEASE_SECONDS", 120),
            soft_deadline_seconds=reader.number("SOFT_DEADLINE_SECONDS", 420),
            sweep_grace_seconds=reader.number("SWEEP_GRACE_SECONDS", 900),
            dbt_target_path=reader.optional("DBT_TARGET_PATH"),
            base_urls={
                name.removeprefix("OPP_BASE_URL_").lower(): value
                for name, value in environment.items()
                if name.startswith("OPP_BASE_URL_")
            },
            snowflake=_snowflake(reader) if "OPP_SNOWFLAKE_ACCOUNT" in environment else None,
        )
        reader.finish()
        return settings


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._read: set[str] = set()
        self._problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self.optional(name)
        if value is None and default is None:
            self._problems.append(f"{PREFIX}{name} is missing")
        return value or default or ""

    def optional(self, name: str) -> str | None:
        self._read.add(PREFIX + name)
        return self._environment.get(PREFIX + name) or None

    def number(self, name: str, default: float | None = None) -> float:
        text = self.text(name, None if default is None else str(default))
        try:
            value = float(text or "0")
        except ValueError:
            value = 0.0
        if not 0 < value < inf:
            self._problems.append(f"{PREFIX}{name} is {text!r}, expected a number above 0")
        return value

    def port(self, name: str) -> int:
        value = self.number(name)
        if not value.is_integer() or value > 65_535:
            self._problems.append(f"{PREFIX}{name} is {value:g}, expected a port")
            return 0
        return int(value)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            self._problems.append(f"{PREFIX}{name} is {value!r}, expected one of {', '.join(choices)}")
        return value

    def finish(self) -> None:
        ours = {name for name in self._environment if name.startswith(PREFIX) and not name.startswith(_FREE)}
        # a variable of a part that is switched off is known all the same
        known = self._read | {f"{PREFIX}SNOWFLAKE_{name}" for name in _SNOWFLAKE}
        self._problems += [f"{name} is set, but nothing reads it" for name in sorted(ours - known)]
        if self._problems:
            raise ConfigurationError([f"settings: {problem}" for problem in self._problems])


_SNOWFLAKE = (
    "ACCOUNT",
    "USER",
    "ROLE",
    "WAREHOUSE",
    "DATABASE",
    "SCHEMA",
    "STAGE",
    "PRIVATE_KEY_SECRET",
    "HOST",
    "PORT",
)


def _snowflake(reader: _Reader) -> SnowflakeSettings:
    port = reader.optional("SNOWFLAKE_PORT")
    return SnowflakeSettings(
        account=reader.text("SNOWFLAKE_ACCOUNT"),
        user=reader.text("SNOWFLAKE_USER"),
        role=reader.text("SNOWFLAKE_ROLE"),
        warehouse=reader.text("SNOWFLAKE_WAREHOUSE"),
        database=reader.text("SNOWFLAKE_DATABASE", "RAW"),
        schema=reader.text("SNOWFLAKE_SCHEMA", "PUBLIC"),
        stage=reader.text("SNOWFLAKE_STAGE", "LANDING"),
        private_key_secret=reader.optional("SNOWFLAKE_PRIVATE_KEY_SECRET"),
        host=reader.optional("SNOWFLAKE_HOST"),
        port=reader.port("SNOWFLAKE_PORT") if port else None,
    )
