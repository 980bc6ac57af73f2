"""The list of engineers that ships fits the company that the local tools tell of, so a local run maps everybody."""

import csv
import re

from local.sources.ai_tools.tools import TOOLS
from local.sources.ai_tools.world import World
from tests.dbt.project import PROJECT

# dbt's normal form of an actor (dbt/macros/actors.sql), which its unit tests hold
_TAGGED = re.compile(r"^([^+@]+)[+][^@]*@([^@]+)$")


def _normal(actor: str) -> str:
    return _TAGGED.sub(r"\1@\2", actor.strip().lower())


def _rows(seed: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{seed}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_engineer_has_an_account_and_no_account_has_two() -> None:
    engineers = {row["engineer_id"] for row in _rows("seed_engineers")}
    by_account: dict[str, set[str]] = {}
    for row in _rows("seed_engineer_accounts"):
        by_account.setdefault(_normal(row["account"]), set()).add(row["engineer_id"])
    assert engineers == set().union(*by_account.values())
    assert all(len(owners) == 1 for owners in by_account.values())


def test_addresses_are_invented() -> None:
    addresses = {row["account"] for row in _rows("seed_engineer_accounts") if "@" in row["account"]}
    assert addresses
    assert all(address.endswith("@example.test") for address in addresses)


def test_everybody_at_the_local_company_is_known() -> None:
    world = World()
    owners = {_normal(row["account"]): row["engineer_id"] for row in _rows("seed_engineer_accounts")}
    for tool in TOOLS:
        for identity in world.identities(tool):
            assert owners.get(_normal(identity.actor)) == identity.engineer, identity
    assert {row["engineer_id"] for row in _rows("seed_engineers")} == {engineer.id for engineer in world.staff}
