"""Open windows: settled, so that one whose deadline has passed closes though nothing arrives any more."""

from shared.sweep.round import Round
from shared.windows.closing import settle_open_windows


def settle_overdue_windows(sweep: Round) -> None:
    """Look at every open window; a failure of one is counted and the others go on."""
    outcomes = settle_open_windows(
        sweep.ports.closing, lambda window, exc: sweep.failed("sweep.window_failed", exc, window=window)
    )
    sweep.summary.windows_settled = len(outcomes)
