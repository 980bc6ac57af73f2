"""The warehouse of whoever needs it: the load function and the dbt job."""

from functools import cache
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from shared import wiring
from shared.adapters.snowflake import SnowflakeAccess, SnowflakeWarehouse
from shared.errors import ConfigurationError
from shared.settings import SnowflakeSettings


@cache
def warehouse() -> SnowflakeWarehouse:
    """Snowflake, or its local stand-in."""
    chosen = wiring.settings().snowflake
    if chosen is None:
        raise ConfigurationError(["settings: OPP_SNOWFLAKE_ACCOUNT is missing; this entry point needs the warehouse"])
    return SnowflakeWarehouse(
        SnowflakeAccess(chosen.database, chosen.schema, chosen.stage, lambda fresh: login(chosen, fresh=fresh))
    )


def login(chosen: SnowflakeSettings, *, fresh: bool) -> dict[str, Any]:
    """The connector's options; `fresh` fetches the key past its cache."""
    options: dict[str, Any] = {
        "account": chosen.account,
        "user": chosen.user,
        "role": chosen.role,
        "warehouse": chosen.warehouse,
    }
    if chosen.private_key_secret is not None:
        return {**options, "private_key": _private_key(wiring.secrets().fetch(chosen.private_key_secret, fresh=fresh))}
    # the stand-in takes any password
    return {**options, "password": "local", "host": chosen.host, "port": chosen.port, "protocol": "http"}


def _private_key(pem: str) -> bytes:
    key = load_pem_private_key(pem.encode(), password=None)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
