"""Ticks that never came: a source has not begun the schedule's newest window a while after its instant.

Only the newest window is ticked: it reads from the unmoved watermark on, and so covers those before it.
"""

from datetime import timedelta

from shared import logs
from shared.messages import ExtractMessage
from shared.registry.model import Source
from shared.state import layout
from shared.sweep.asking import Asked, Measure, ask
from shared.sweep.round import Round
from shared.windows.schedule import window_at
from shared.windows.watermark import read_watermark
from shared.windows.window import Window, end_of_id

MEASURE = Measure(most=3, spacing=timedelta(hours=1))

_LONG_SILENCE = timedelta(days=14)
# A schedule that was silent for so long did not miss a tick: somebody paused it, and should hear of it instead.


def publish_missed_ticks(sweep: Round) -> None:
    """Tick each enabled source whose pipeline runs, and which has not begun the newest window."""
    for name, pipeline in sorted(sweep.ports.registry.pipelines.items()):
        sources = sweep.ports.registry.enabled(name)
        with logs.bound(pipeline=name), sweep.attempt("sweep.tick_failed"):
            window = window_at(name, pipeline.cron, sweep.old)
            waiting = [source for source in sources if not _begun(sweep, source, window)]
            if waiting and _is_running(sweep, window):
                for source in waiting:
                    _tick(sweep, source, window)


def extract_again(sweep: Round, source: Source, window: Window) -> Asked:
    """Ask for the scheduled extraction of a source's window, with measure."""
    message = ExtractMessage(source.name, window.interval)
    return ask(
        sweep,
        f"windows/{source.name}/{window.id}",
        MEASURE,
        lambda: sweep.ports.publisher.publish(source.topic, message.attributes()),
    )


def _tick(sweep: Round, source: Source, window: Window) -> None:
    with logs.bound(source=source.name, window=window.id):
        match extract_again(sweep, source, window):
            case Asked.NOW:
                sweep.summary.ticks_published += 1
                logs.warning("sweep.tick_published", message=f"no tick of {source.name} came for {window.id}")
            case Asked.TOO_OFTEN:
                message = f"ticks of {source.name} for {window.id} lead nowhere; see its subscription"
                logs.error("sweep.tick_given_up", message=message)


def _begun(sweep: Round, source: Source, window: Window) -> bool:
    if sweep.documents.exists(layout.extraction_range(source.name, window.id, 0)):
        return True
    covered_to = read_watermark(sweep.documents, source.name).covered_to
    return covered_to is not None and covered_to >= window.end


def _is_running(sweep: Round, due: Window) -> bool:
    """Whether the pipeline has run lately, and nothing later than the due window."""
    ids = [
        name.split("/")[2]
        for name in sweep.documents.names(layout.expected_windows(due.pipeline))
        if name.endswith("/expected.json")
    ]
    if not ids or end_of_id(max(ids)) > due.end:
        return False  # one that never ran waits for its first tick
    newest = end_of_id(max(ids))
    if due.end - newest > _LONG_SILENCE:
        logs.error(
            "sweep.schedule_silent",
            window=due.id,
            message=f"{due.pipeline} has not been ticked since {newest:%Y-%m-%d}; resume its schedule, or switch its "
            "sources off in the registry",
        )
        return False
    return True
