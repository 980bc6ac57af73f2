"""Leases that ran out and that nobody took over: their holder was killed, and its work did not come again.

They block nobody; they are named since whatever was to be done may still be open, and removed when long dead.
"""

from datetime import timedelta

from shared import logs
from shared.instants import from_text
from shared.state import layout
from shared.sweep.round import Round

_LONG_DEAD = timedelta(days=1)


def name_expired_leases(sweep: Round) -> None:
    """Name each, and remove those that ran out a day ago."""
    for lease in list(sweep.documents.under(layout.LEASES)):
        with sweep.attempt("sweep.lease_failed", lease=lease.name):
            expired_at = from_text(lease.value["expires_at"])
            if expired_at > sweep.old:
                continue
            fields = {"lease": lease.name, "holder": lease.value["holder"], "expired_at": expired_at}
            if sweep.now - expired_at < _LONG_DEAD:
                message = f"the holder of {lease.name} was killed, and nobody took its work over yet"
                logs.warning("sweep.lease_expired", **fields, message=message)
            elif sweep.documents.delete(lease):
                sweep.summary.leases_removed += 1
                logs.warning("sweep.lease_removed", **fields)
