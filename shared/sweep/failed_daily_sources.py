"""Sources of slow pipelines that a window closed without: asked again, since their next window is a day away.

An hourly source's next window covers the gap soon enough by itself.
"""

from datetime import timedelta

from shared import logs
from shared.registry.model import Source
from shared.state import layout
from shared.state.lease import is_live
from shared.sweep.asking import Asked
from shared.sweep.missed_ticks import MEASURE, extract_again
from shared.sweep.round import Round
from shared.windows.schedule import window_at
from shared.windows.window import Window

_SLOW = timedelta(hours=12)


def ask_failed_daily_sources(sweep: Round) -> None:
    """Ask each source that the newest window of a slow pipeline closed without, unless it is at work."""
    for name, pipeline in sorted(sweep.ports.registry.pipelines.items()):
        window = window_at(name, pipeline.cron, sweep.now)
        if window.end - window.start < _SLOW:
            continue
        for source in sweep.ports.registry.enabled(name):
            with logs.bound(pipeline=name, source=source.name, window=window.id), sweep.attempt("sweep.source_failed"):
                if sweep.documents.exists(layout.gap(source.name, window.id)) and not _at_work(sweep, source, window):
                    _ask(sweep, source, window)


def _ask(sweep: Round, source: Source, window: Window) -> None:
    match extract_again(sweep, source, window):
        case Asked.NOW:
            sweep.summary.sources_asked_again += 1
            message = f"{window.id} closed without {source.name}, whose next window is far"
            logs.warning("sweep.source_asked_again", message=message)
        case Asked.TOO_OFTEN:
            message = (
                f"{source.name} failed {window.id} though it was asked {MEASURE.most} times more; its next window "
                "covers the gap once the cause is gone"
            )
            logs.error("sweep.source_given_up", message=message)


def _at_work(sweep: Round, source: Source, window: Window) -> bool:
    return is_live(sweep.documents.get(layout.extract_lease(source.name, window.id, 0)), sweep.now)
