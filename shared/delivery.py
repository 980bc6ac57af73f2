"""From a delivered CloudEvent to a run: its message, its run id, and what a failure means."""

from collections.abc import Callable
from typing import Protocol

from werkzeug.exceptions import ServiceUnavailable

from shared import logs
from shared.errors import PermanentError, TransientError
from shared.messages import Message, delivered_message
from shared.ports import Bucket
from shared.quarantine import keep_message
from shared.settle import settle


class Event(Protocol):
    """A CloudEvent as the functions framework hands it over."""

    data: object

    def __getitem__(self, name: str) -> str: ...


def deliver(
    event: Event,
    handle: Callable[[Message, str], None],
    *,
    run_id: str,
    trace: str | None,
    quarantine: Bucket,
    subject_of: Callable[[Event], str] = lambda event: event["id"],
) -> None:
    """Hand the event's message to `handle` with the run's id.

    A message that fails for good is kept in quarantine with its reason, and so acknowledged; others come again. One is
    kept for each subject, by default the message's id: what the sweep sends again is no new case. Raises
    ServiceUnavailable, which the framework answers as 503, for what may succeed later.
    """

    def record(exc: PermanentError) -> None:
        keep_message(quarantine, subject_of(event), {"data": event.data}, f"{type(exc).__name__}: {exc}", run_id)

    try:
        with logs.bound(run_id=run_id, **({logs.TRACE: trace} if trace else {})), settle(record):
            handle(delivered_message(event.data, event["id"], event["time"]), run_id)
    except TransientError as exc:
        # an answer, not a crash: the framework would log a stack trace for what is expected
        raise ServiceUnavailable("not now; send it again") from exc
