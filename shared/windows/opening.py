"""Opening a window: its first tick freezes which sources it waits for, and when it stops waiting.

The deadline counts from the window's end, or from its opening when that is later: a window of the past that is run
now gets its full time too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.instants import from_text, to_text
from shared.registry.load import Registry
from shared.state import layout
from shared.state.documents import Documents
from shared.windows.window import Window


@dataclass(frozen=True, slots=True)
class Expected:
    """What a window waits for."""

    window: Window
    sources: tuple[str, ...]
    opened_at: datetime
    deadline_at: datetime
    spools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By workspace, those of the sources that read its spooled events."""

    def reads_spool(self, source: str) -> bool:
        """Whether the source reads spooled events."""
        return any(source in sources for sources in self.spools.values())


def open_window(documents: Documents, registry: Registry, window: Window, now: datetime) -> Expected:
    """Freeze the window's expectations, or read those that an earlier tick froze."""
    frozen = read_expected(documents, window)
    if frozen is not None:
        return frozen
    pipeline = registry.pipelines[window.pipeline]
    sources = [source for source in registry.enabled(window.pipeline) if source.completes_window]
    spools: dict[str, list[str]] = {}
    for source in sources:
        if source.spool is not None:
            spools.setdefault(source.spool, []).append(source.name)
    deadline = max(window.end, now) + timedelta(minutes=pipeline.deadline_minutes)
    value = {
        "window": window.interval,
        "sources": [source.name for source in sources],
        "spools": spools,
        "opened_at": to_text(now),
        "deadline_at": to_text(deadline),
    }
    # the index first: a crash in between leaves an entry that the re-delivered tick completes, never a lost window
    documents.create(layout.open_window(window.pipeline, window.id), {"window": window.interval})
    document, _ = documents.create(layout.expected(window), value)
    return _parse(window, document.value)


def read_expected(documents: Documents, window: Window) -> Expected | None:
    """The window's frozen expectations; None before its first tick."""
    document = documents.get(layout.expected(window))
    return None if document is None else _parse(window, document.value)


def _parse(window: Window, value: object) -> Expected:
    assert isinstance(value, dict)  # noqa: S101 - written by open_window alone
    return Expected(
        window,
        tuple(value["sources"]),
        from_text(value["opened_at"]),
        from_text(value["deadline_at"]),
        {workspace: tuple(sources) for workspace, sources in value.get("spools", {}).items()},
    )
