"""Replay: extract a window of a source again, as the next revision. The live watermark stays where it is."""

from dataclasses import dataclass

from shared.errors import ConfigurationError
from shared.extract.frozen_range import frozen_range, reserve_range
from shared.messages import ExtractMessage
from shared.operate.revisions import next_revision
from shared.ports import Bucket, Publisher
from shared.registry.load import Registry
from shared.state.documents import Documents
from shared.windows.schedule import window_at
from shared.windows.window import Window, end_of_id, is_window_id


@dataclass(frozen=True, slots=True)
class ReplayPorts:
    """What a replay needs."""

    registry: Registry
    documents: Documents
    landing: Bucket
    publisher: Publisher


def replay(ports: ReplayPorts, source_name: str, window_text: str, *, like: int = 0) -> ExtractMessage:
    """Ask for the next revision of a source's window, given by its id or as an interval start/end.

    It reads what revision `like` read: a backfill's revision is not the scheduled one's. Returns the message that was
    published. Raises UnknownSource, ConfigurationError for a text that names no window.
    """
    source = ports.registry.source(source_name)
    pipeline = ports.registry.pipeline_of(source)
    window = _window(ports.documents, pipeline.name, pipeline.cron, window_text)
    message = ExtractMessage(source.name, window.interval, revision=_reserved(ports, source.name, window.id, like))
    ports.publisher.publish(source.topic, message.attributes())
    return message


def _window(documents: Documents, pipeline: str, cron: str, text: str) -> Window:
    try:
        if not is_window_id(text):
            return Window.from_interval(pipeline, text)
        known = documents.get(f"windows/{pipeline}/{text}/expected.json")
        if known is not None:
            return Window.from_interval(pipeline, known.value["window"])
        window = window_at(pipeline, cron, end_of_id(text))
    except ValueError as exc:
        raise ConfigurationError([f"window {text!r}: {exc}; give an id as 20261120T0700Z or start/end"]) from exc
    if window.id != text:
        raise ConfigurationError([f"window {text!r} is no window of {pipeline} (cron {cron}); give it as start/end"])
    return window


def _reserved(ports: ReplayPorts, source: str, window_id: str, like: int) -> int:
    extraction = frozen_range(ports.documents, source, window_id, like) if like else None
    while True:
        revision = next_revision(ports.documents, ports.landing, source, window_id)
        # the scheduled one's range the extraction finds by itself, also when it is frozen only later
        if extraction is None:
            return revision
        purpose = f"replay of r{like} as r{revision}"
        if reserve_range(ports.documents, source, window_id, revision, extraction, purpose):
            return revision
