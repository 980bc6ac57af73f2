"""What a failure means at an entry point: permanent ones are recorded and acknowledged, all others come again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared import logs
from shared.errors import AuthenticationFailed, MalformedMessage, PermanentError, TransientError


@contextmanager
def settle(record: Callable[[PermanentError], None]) -> Iterator[None]:
    """Run one message's work.

    A permanent error is logged once as an alert, recorded, and swallowed: the message is acknowledged. A transient one
    is logged and raised: Pub/Sub backs off and sends again, and dead-letters in the end. So is any other exception.
    """
    try:
        yield
    except PermanentError as exc:
        event = "message.malformed" if isinstance(exc, MalformedMessage) else "run.failed"
        secret = exc.secret if isinstance(exc, AuthenticationFailed) else None
        logs.error(event, kind="permanent", error=type(exc).__name__, message=str(exc), secret=secret)
        record(exc)
    except TransientError as exc:
        logs.warning("run.deferred", kind="transient", error=type(exc).__name__, message=str(exc))
        raise
    except Exception as exc:
        logs.error("run.crashed", exc, kind="unexpected", message=f"{type(exc).__name__}: {exc}")
        raise
