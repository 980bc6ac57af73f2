"""Leases: an object says who works on something and until when.

Only the clock decides that a lease has run out, so a holder that was killed blocks others for `seconds` at most. A
holder keeps its lease by compare-and-swap; losing that race means that somebody took over, and the work must stop.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import LeaseHeld, StateConflict
from shared.instants import from_text, to_text
from shared.ports import Clock
from shared.state.documents import Document, Documents


@dataclass(slots=True)
class Lease:
    """A lease that this process holds."""

    documents: Documents
    clock: Clock
    holder: str
    seconds: float
    _document: Document
    _kept_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._kept_at = self.clock.now()

    def keep(self) -> None:
        """Renew the lease once a third of its time has passed. Raises LeaseHeld when somebody else took it."""
        now = self.clock.now()
        if (now - self._kept_at).total_seconds() < self.seconds / 3:
            return
        try:
            self._document = self.documents.replace(self._document, _value(self.holder, now, self.seconds))
        except StateConflict as exc:
            raise LeaseHeld(f"lease {self._document.name} was lost to another holder; stop and let it finish") from exc
        self._kept_at = now

    def release(self) -> None:
        """Give the lease back; a lease that was lost meanwhile is left alone."""
        self.documents.delete(self._document)


def acquire(documents: Documents, clock: Clock, name: str, *, holder: str, seconds: float) -> Lease:
    """The lease of that name for `seconds`. Raises LeaseHeld (transient) while another holder's has not run out."""
    value = _value(holder, clock.now(), seconds)
    document, created = documents.create(name, value)
    if not created:
        if is_live(document, clock.now()):
            left = (from_text(document.value["expires_at"]) - clock.now()).total_seconds()
            raise LeaseHeld(
                f"lease {name} is held by {document.value['holder']}; it ends in {left:.0f} s", retry_after=left
            )
        try:
            document = documents.replace(document, value)
        except StateConflict as exc:
            raise LeaseHeld(f"lease {name} ran out and another holder was faster") from exc
    return Lease(documents, clock, holder, seconds, document)


def is_live(document: Document | None, now: datetime) -> bool:
    """Whether a lease document still holds."""
    return document is not None and from_text(document.value["expires_at"]) > now


def _value(holder: str, now: datetime, seconds: float) -> dict[str, str]:
    return {"holder": holder, "expires_at": to_text(now + timedelta(seconds=seconds))}
