"""Ends what nobody will end: transactions of vanished or idle clients, overdue statements, forgotten sessions.

Gap: fakesnow keeps an open transaction, and with it the writer lock, until the server restarts. Snowflake aborts a
transaction whose session is gone; an idle one it keeps for hours, but locally a blocked writer should be free soon.
"""

import asyncio
import logging
import time

from starlette.concurrency import run_in_threadpool

from local.snowflake.clients import Clients
from local.snowflake.session import Session

# The connector may drop a connection and open another one; that takes milliseconds
GONE_SECONDS = 0.5
# Snowflake ends a session after four idle hours (without CLIENT_SESSION_KEEP_ALIVE)
SESSION_SECONDS = 4 * 3600
_EVERY_SECONDS = 0.2

_log = logging.getLogger("local.snowflake")


async def reap(sessions: dict[str, Session], clients: Clients, idle_transaction_seconds: float) -> None:
    """Look at every session five times a second, for ever."""
    while True:
        for token, session in list(sessions.items()):
            await _look(token, session, sessions, clients, idle_transaction_seconds)
        await asyncio.sleep(_EVERY_SECONDS)


async def _look(
    token: str, session: Session, sessions: dict[str, Session], clients: Clients, idle_transaction_seconds: float
) -> None:
    gone = clients.gone_for(token) > GONE_SECONDS
    if session.running_since is not None:
        if session.overdue():
            session.cancel(timed_out=True)
        elif gone and session.parameters.flag("ABORT_DETACHED_QUERY"):
            session.cancel()
        return
    idle = time.monotonic() - session.last_active
    reason = None
    if gone:
        reason = "its client's connection closed"
    elif idle > idle_transaction_seconds:
        reason = f"it was idle for more than {idle_transaction_seconds:g} seconds"
    if reason and session.transaction.writing and await run_in_threadpool(session.abort_transaction, reason):
        _log.warning("session %d: transaction rolled back: %s", session.number, reason)
    if idle > SESSION_SECONDS:
        sessions.pop(token, None)
        clients.forget(token)
        await run_in_threadpool(session.close)
