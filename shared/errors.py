"""The error tree: whether a failure may be tried again is a property of its type.

PipelineError
  TransientError            raise at the entry point: the message comes again
    SourceUnavailable         network fault, 429, 5xx, cut or foreign body (may carry retry_after)
    LeaseHeld                 another delivery works on the same thing
    StateConflict             somebody else moved the state object
    StorageUnavailable        object storage answered with a fault
    WarehouseUnavailable      the warehouse did not answer, or timed out on a lock
    PublishFailed             the message was not taken
    PullFailed                a subscription did not hand out or take back its messages
    JobUnavailable            the job could not be started
    NotYet                    the message is early (a continuation that must wait)
  PermanentError            record or quarantine, alert, acknowledge
    MalformedMessage          the message does not say what to do
    UnknownSource             no such source in the registry
    AuthenticationFailed      the source refuses the key, also after fetching it again
    RequestRefused            the source answers 4xx: the request itself is wrong
    PaginationLoop            the source hands out the same cursor twice
    ResponseTooLarge          one response exceeds the cap
    RejectedObject            a landed object that may not be loaded
    WarehouseRefused          the warehouse refuses the statement
    ConfigurationError        settings or registry are wrong; lists everything at once
"""

from collections.abc import Sequence


class PipelineError(Exception):
    """Base of every error that the platform raises on purpose."""


class TransientError(PipelineError):
    """May succeed when tried again unchanged."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the other side asked for, if it did."""


class SourceUnavailable(TransientError):
    """The source did not give a usable answer."""


class LeaseHeld(TransientError):
    """Another delivery holds the lease."""


class StateConflict(TransientError):
    """A state object changed since it was read."""


class StorageUnavailable(TransientError):
    """Object storage answered with a fault."""


class WarehouseUnavailable(TransientError):
    """The warehouse did not answer, or a lock was not granted in time."""


class PublishFailed(TransientError):
    """Pub/Sub did not take the message."""


class PullFailed(TransientError):
    """A Pub/Sub subscription did not hand out its messages, or did not take them back."""


class JobUnavailable(TransientError):
    """The job could not be started."""


class NotYet(TransientError):
    """The message asks for work that may begin only later."""


class PermanentError(PipelineError):
    """Fails the same way however often it is tried."""


class MalformedMessage(PermanentError):
    """A message that does not say what to do."""


class UnknownSource(PermanentError):
    """The registry has no such source."""


class AuthenticationFailed(PermanentError):
    """The source refuses the key."""

    def __init__(self, message: str, *, secret: str) -> None:
        super().__init__(message)
        self.secret = secret
        """The secret's reference, never its value."""


class RequestRefused(PermanentError):
    """The source refuses the request as such."""


class PaginationLoop(PermanentError):
    """The source's paging does not advance."""


class ResponseTooLarge(PermanentError):
    """A response exceeds the size cap."""


class RejectedObject(PermanentError):
    """A landed object that may not be loaded."""


class WarehouseRefused(PermanentError):
    """The warehouse refuses the statement."""


class ConfigurationError(PermanentError):
    """Settings or registry are wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
