"""One round of the sweep: what it may reach, what it has found, and how a failure stays where it is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared import logs
from shared.ports import Bucket, Publisher, Subscriber
from shared.registry.load import Registry
from shared.state import layout
from shared.state.documents import Documents
from shared.windows.closing import ClosingPorts

GRACE_MINUTES = 15
# What is younger may still be on its ordinary way: a push may be retried after 600 s.

_MOST_FAILURES = 5
# Of one kind in a round: a service that is down fails every time, and each time after a minute.


@dataclass(frozen=True, slots=True)
class SweepPorts:
    """What the sweep needs from the outside."""

    registry: Registry
    landing: Bucket
    quarantine: Bucket
    publisher: Publisher
    closing: ClosingPorts
    subscriber: Subscriber
    grace: timedelta = timedelta(minutes=GRACE_MINUTES)


@dataclass(slots=True)
class SweepSummary:
    """What the sweep found."""

    republished: int = 0
    windows_settled: int = 0
    ticks_published: int = 0
    sources_asked_again: int = 0
    letters_redriven: int = 0
    leases_removed: int = 0
    spool_leftovers: int = 0
    failures: int = 0
    job_started: bool = False


class GivenUp(Exception):
    """Too much of one kind failed in this round; the next one tries again."""


@dataclass(slots=True)
class Round:
    """A round that is under way. Marker listings are kept: several repairs look at them."""

    ports: SweepPorts
    now: datetime
    since: str = ""
    """The oldest window that is looked at for lost objects, by its id; empty: everything is."""
    summary: SweepSummary = field(default_factory=SweepSummary)
    _markers: dict[str, Mapping[str, datetime]] = field(default_factory=dict)
    _failures_of_kind: int = 0

    @property
    def documents(self) -> Documents:
        """The state bucket."""
        return self.ports.closing.documents

    @property
    def old(self) -> datetime:
        """What is older has had its time."""
        return self.now - self.ports.grace

    def markers(self, source: str) -> Mapping[str, datetime]:
        """When each part marker of a source's windows was written, by its name."""
        if source not in self._markers:
            listed = self.documents.bucket.list(layout.markers(source), start=f"{layout.markers(source)}{self.since}")
            self._markers[source] = {stored.name: stored.created_at for stored in listed}
        return self._markers[source]

    @contextmanager
    def kind(self, name: str) -> Iterator[None]:
        """One kind of repair: whatever fails in it, the other kinds go on."""
        self._failures_of_kind = 0
        try:
            yield
        except GivenUp:
            logs.error("sweep.kind_given_up", kind=name, message=f"{name}: too much failed; left to the next round")
        except Exception as exc:  # noqa: BLE001 - logged and counted; a repair must not take the others along
            self.failed("sweep.kind_failed", exc, kind=name)

    @contextmanager
    def attempt(self, event: str, **fields: object) -> Iterator[None]:
        """One repair: a failure is logged as `event` and counted, and the next repair of its kind goes on.

        Raises GivenUp after the first few.
        """
        try:
            yield
        except Exception as exc:
            self.failed(event, exc, **fields)
            self._failures_of_kind += 1
            if self._failures_of_kind >= _MOST_FAILURES:
                raise GivenUp from exc

    def failed(self, event: str, exc: Exception, **fields: object) -> None:
        """A repair failed."""
        self.summary.failures += 1
        logs.error(event, exc, **fields)
