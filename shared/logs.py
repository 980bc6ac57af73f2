"""Logs: one JSON line an event, in Cloud Logging's field names.

An event's name is a fact in the past (`extract.part_landed`). Fields bound by `bound` (run, source, window) stand in
every line until the block ends. Values are numbers, text, lists and mappings; secrets are never passed here.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from traceback import format_exception
from types import MappingProxyType
from typing import Any, TextIO

from shared.instants import to_text

TRACE = "logging.googleapis.com/trace"
"""Cloud Logging's own field for the trace that an event belongs to."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default=_NOTHING)
_stream: TextIO | None = None


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Add fields to every event inside the block; None leaves a field out."""
    token = _bound.set({**_bound.get(), **{k: v for k, v in fields.items() if v is not None}})
    try:
        yield
    finally:
        _bound.reset(token)


@contextmanager
def captured(stream: TextIO) -> Iterator[None]:
    """Write events to `stream` instead of standard output, for a test that reads them."""
    global _stream  # noqa: PLW0603 - the one switch of this module, restored below
    before, _stream = _stream, stream
    try:
        yield
    finally:
        _stream = before


def info(event: str, **fields: Any) -> None:
    """Something happened as it should."""
    _write("INFO", event, fields)


def warning(event: str, **fields: Any) -> None:
    """Something to look at that the platform handles by itself."""
    _write("WARNING", event, fields)


def error(event: str, exc: BaseException | None = None, **fields: Any) -> None:
    """Something that a person must act on; a traceback of `exc` goes along."""
    if exc is not None:
        fields = {**fields, "error": type(exc).__name__, "exception": "".join(format_exception(exc))}
    _write("ERROR", event, fields)


def _write(severity: str, event: str, fields: Mapping[str, Any]) -> None:
    line = {
        "severity": severity,
        "event": event,
        "message": fields.get("message", event),
        "time": to_text(datetime.now(UTC)),
        **_bound.get(),
        **fields,
    }
    stream = _stream or sys.stdout
    stream.write(json.dumps(line, default=_plain, separators=(",", ":")) + "\n")
    stream.flush()


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)
