"""Whether Snowflake lets the platform in, and lets it do what it does."""

from collections.abc import Iterator
from itertools import chain
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

    def show(self, statement: str) -> list[dict[str, str]]:
        """The rows of a SHOW, by lower-case column names. Raises WarehouseRefused."""
        ...


def looks(settings: SnowflakeSettings, probe: SnowflakeProbe) -> list[tuple[str, Looks]]:
    """Login first: without it the rest says nothing."""
    return [("Snowflake", lambda: chain(examine_snowflake(settings, probe), examine_grants(settings, probe)))]


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


def examine_grants(settings: SnowflakeSettings, probe: SnowflakeProbe) -> Iterator[Check]:
    """What no harmless statement can try out: making tables, and changing those that are there.

    Only a table's owner may add a column to it, so its owner must be the role or one that the role is a member of.
    """
    schema = f"{settings.database}.{settings.schema}"
    roles, privileges = _reach(probe, settings.role)
    name = f"Snowflake tables can be made in {schema}"
    if any((privilege, "SCHEMA", schema) in privileges for privilege in ("CREATE TABLE", "OWNERSHIP")):
        others = ", ".join(sorted(roles - {settings.role})) or "no other role"
        yield ok(name, f"by {settings.role}, a member of {others}")
    else:
        yield wrong(name, f"{settings.role} may not", f"GRANT CREATE TABLE ON SCHEMA {schema} TO ROLE {settings.role}")
    tables = probe.show(f"SHOW TABLES IN SCHEMA {_quoted(settings.database)}.{_quoted(settings.schema)}")
    strangers = {table["name"]: table["owner"] for table in tables if table["owner"] not in roles}
    name = f"Snowflake tables of {schema} can be changed"
    if not strangers:
        yield ok(name, f"all {len(tables)} of them")
    for table, owner in sorted(strangers.items()):
        yield wrong(
            name,
            f"{table} belongs to {owner or 'nobody'}",
            f"GRANT OWNERSHIP ON TABLE {schema}.{_quoted(table)} TO ROLE {settings.role} COPY CURRENT GRANTS",
        )


def _reach(probe: SnowflakeProbe, role: str) -> tuple[set[str], set[tuple[str, str, str]]]:
    """A role and those it is a member of, directly or not; and what these may, as (privilege, kind, name)."""
    roles, privileges, waiting = {role}, set[tuple[str, str, str]](), [role]
    while waiting:
        for grant in probe.show(f"SHOW GRANTS TO ROLE {_quoted(waiting.pop())}"):
            privilege, kind, name = grant["privilege"], grant["granted_on"], grant["name"].replace('"', "")
            if (privilege, kind) == ("USAGE", "ROLE"):
                waiting += {name} - roles
                roles.add(name)
            else:
                privileges.add((privilege, kind, name))
    return roles, privileges


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
