"""A page of spooled events: their bodies, or what these tell of what to ask for."""

from shared import logs
from shared.extract.pages import PageSeen, SpoolRequest
from shared.ports import Spool
from shared.sources.family import RawPage


def spooled_page(spool: Spool, request: SpoolRequest) -> RawPage:
    """Read the request's events. One that is gone was read and deleted by a window that listed it too."""
    bodies = spool.read_each([waiting.version for waiting in request.events])
    found = [(waiting.event, body) for waiting, body in zip(request.events, bodies, strict=True) if body is not None]
    if len(found) < len(bodies):
        logs.warning("extract.events_gone", events=len(bodies) - len(found), message="another window drained them")
    if request.learn is None:
        records = [body for _, body in found]
        return RawPage(records, PageSeen(len(records)), {"events": tuple(event for event, _ in found)})
    ids: dict[str, None] = {}
    told_nothing = []
    for event, body in found:
        learned = request.learn(event, body)
        ids.update(dict.fromkeys(learned))
        if not learned:
            told_nothing.append(event.webhook_id)
    if told_nothing:
        logs.warning(
            "extract.events_without_id",
            events=len(told_nothing),
            examples=told_nothing[:3],
            message="of a known type, but without the id of what changed; they are kept as events",
        )
    return RawPage([], PageSeen(len(found), ids=tuple(ids)))
