"""A look at Snowflake with the platform's own login: nothing is changed."""

from collections.abc import Callable
from typing import Any

import snowflake.connector
from snowflake.connector import DictCursor
from snowflake.connector import errors as sf

from shared.errors import WarehouseRefused, WarehouseUnavailable

_TIMEOUT_SECONDS = 30


class ConnectorProbe:
    """One session, opened at the first look. `login_options` are the connector's."""

    def __init__(self, login_options: Callable[[], dict[str, Any]], *, timeout_seconds: int = _TIMEOUT_SECONDS) -> None:
        self._login_options = login_options
        self._timeout_seconds = timeout_seconds
        self._connection: snowflake.connector.SnowflakeConnection | None = None

    def login(self) -> str:
        """See SnowflakeProbe."""
        cursor = self._session().cursor()
        cursor.execute("SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE()")
        user, role, warehouse = cursor.fetchone() or ("?", "?", "?")
        return f"{user} as {role} on {warehouse}"

    def try_out(self, statement: str) -> str | None:
        """See SnowflakeProbe."""
        try:
            self._session().cursor().execute(statement, timeout=self._timeout_seconds)
        except sf.Error as exc:
            return str(exc.raw_msg or exc)[:300]
        return None

    def show(self, statement: str) -> list[dict[str, str]]:
        """See SnowflakeProbe."""
        cursor = self._session().cursor(DictCursor)
        try:
            cursor.execute(statement, timeout=self._timeout_seconds)
            rows = cursor.fetchall()
        except sf.Error as exc:
            raise WarehouseRefused(f"{statement}: {str(exc.raw_msg or exc)[:300]}") from exc
        return [{str(name).lower(): str(value) for name, value in dict(row).items()} for row in rows]

    def _session(self) -> snowflake.connector.SnowflakeConnection:
        if self._connection is None:
            try:
                self._connection = snowflake.connector.connect(
                    **self._login_options(), login_timeout=self._timeout_seconds, network_timeout=self._timeout_seconds
                )
            except (sf.DatabaseError, sf.ForbiddenError) as exc:
                if isinstance(exc, sf.OperationalError) and not isinstance(exc, sf.ForbiddenError):
                    raise WarehouseUnavailable(f"Snowflake did not answer: {exc.raw_msg or exc}") from exc
                raise WarehouseRefused(
                    f"Snowflake refuses the login: {exc.raw_msg or exc}; the user's public key must belong to the "
                    "private key in the secret (docs/runbooks/rotate-a-key.md)"
                ) from exc
        return self._connection
