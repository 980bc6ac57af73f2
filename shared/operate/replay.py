"""Replay: extract a window of a source again, as the next revision. The live watermark stays where it is."""

from dataclasses import dataclass

from shared.errors import ConfigurationError
from shared.landing import PREFIX, PartName
from shared.messages import ExtractMessage
from shared.ports import Bucket, Publisher
from shared.registry.load import Registry
from shared.state import layout
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


def replay(ports: ReplayPorts, source_name: str, window_text: str) -> ExtractMessage:
    """Ask for the next revision of a source's window, given by its id or as an interval start/end.

    Returns the message that was published. Raises UnknownSource, ConfigurationError for a text that names no window.
    """
    source = ports.registry.source(source_name)
    pipeline = ports.registry.pipeline_of(source)
    window = _window(ports.documents, pipeline.name, pipeline.cron, window_text)
    message = ExtractMessage(source.name, window.interval, revision=_next_revision(ports, source.name, window.id))
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


def _next_revision(ports: ReplayPorts, source: str, window_id: str) -> int:
    # ranges tell of extractions that began, landing objects of those whose state was restored from elsewhere
    ranges = [int(n.rpartition("/r")[2].removesuffix(".json")) for n in _ranges(ports.documents, source, window_id)]
    landed = [PartName.parse(o.name).revision for o in ports.landing.list(f"{PREFIX}{source}/{window_id}/")]
    return max([0, *ranges, *landed]) + 1


def _ranges(documents: Documents, source: str, window_id: str) -> list[str]:
    return list(documents.names(layout.extraction_ranges(source, window_id)))
