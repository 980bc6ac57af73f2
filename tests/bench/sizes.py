"""How much each measurement works with: enough for steady figures, or just enough to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """`large` is ten times `small` where growth is measured."""

    extract_small: int
    extract_large: int
    extract_repeats: int
    warm_records: int
    warm_windows: int
    import_repeats: int
    webhook_requests: int
    rows_small: int
    rows_large: int
    delta_rows: int
    load_repeats: int
    merge_repeats: int


FULL = Sizes(
    extract_small=25_000,
    extract_large=250_000,
    extract_repeats=3,
    warm_records=30,
    warm_windows=20,
    import_repeats=5,
    webhook_requests=5_000,
    rows_small=50_000,
    rows_large=500_000,
    delta_rows=2_000,
    load_repeats=5,
    merge_repeats=5,
)

QUICK = Sizes(
    extract_small=1_000,
    extract_large=10_000,
    extract_repeats=1,
    warm_records=30,
    warm_windows=3,
    import_repeats=1,
    webhook_requests=50,
    rows_small=500,
    rows_large=5_000,
    delta_rows=100,
    load_repeats=1,
    merge_repeats=1,
)
