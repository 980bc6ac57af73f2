"""Whether Snowflake lets the platform in, and lets it do what it does."""

from collections.abc import Iterator
from typing import Protocol

from shared.operate.doctor.check import Check, Looks, ok, wrong
from shared.settings import SnowflakeSettings


class SnowflakeProbe(Protocol):
    """A session of the role that the settings name."""

    def login(self) -> str:
        """Who one is, as `user as role on warehouse`. Raises WarehouseRefused, WarehouseUnavailable."""
        ...

    def try_out(self, statement: str) -> str | None:
        """What Snowflake says against a statement that changes nothing; None when it is carried out."""
        ...


def looks(settings: SnowflakeSettings, probe: SnowflakeProbe) -> list[tuple[str, Looks]]:
    """Login first: without it the rest says nothing."""
    return [("Snowflake", lambda: examine_snowflake(settings, probe))]


def examine_snowflake(settings: SnowflakeSettings, probe: SnowflakeProbe) -> Iterator[Check]:
    """The login, the schema of RAW, the stage over the landing bucket, the warehouse."""
    yield ok("Snowflake login", probe.login())
    schema = f"{_quoted(settings.database)}.{_quoted(settings.schema)}"
    role, stage = settings.role, f"{schema}.{_quoted(settings.stage)}"
    trials = (
        (
            f"schema {settings.database}.{settings.schema}",
            f"SHOW TABLES IN SCHEMA {schema} LIMIT 1",
            f"GRANT USAGE ON DATABASE {settings.database} TO ROLE {role}; GRANT USAGE ON SCHEMA "
            f"{settings.database}.{settings.schema} TO ROLE {role}",
        ),
        (
            f"stage {settings.stage}",
            f"LIST @{stage} PATTERN = 'no-such-object'",
            f"GRANT USAGE ON STAGE {settings.database}.{settings.schema}.{settings.stage} TO ROLE {role}; if Cloud "
            "Storage refuses it: the integration's account needs a role on the landing bucket: terraform apply",
        ),
        (
            f"warehouse {settings.warehouse}",
            f"SELECT COUNT(*) FROM {_quoted(settings.database)}.INFORMATION_SCHEMA.TABLES",
            f"GRANT USAGE ON WAREHOUSE {settings.warehouse} TO ROLE {role}",
        ),
    )
    for name, statement, remedy in trials:
        problem = probe.try_out(statement)
        yield (
            ok(f"Snowflake {name}", f"open to {role}")
            if problem is None
            else wrong(f"Snowflake {name}", problem, remedy)
        )


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
