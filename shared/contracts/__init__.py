"""One definition a RAW table: Arrow schema, DDL, COPY, MERGE and the dbt source YAML come from it."""

from shared.contracts.contract import Contract
from shared.contracts.incidents import INCIDENTS

CONTRACTS: dict[str, Contract] = {contract.name: contract for contract in (INCIDENTS,)}
"""Every contract by its name, as the registry refers to it."""
