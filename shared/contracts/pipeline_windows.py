"""`PIPELINE_WINDOWS`: the state of every closed window by source, zero-row windows too; dbt's freshness reads it."""

from shared.contracts.contract import Column, Kind
from shared.contracts.platform_table import PlatformTable

PIPELINE_WINDOWS = PlatformTable(
    name="PIPELINE_WINDOWS",
    grain="One row per pipeline, window and source.",
    keys=("pipeline", "window_id", "source"),
    newest="closed_at",
    columns=(
        Column("pipeline", Kind.TEXT, "The pipeline.", True),
        Column("window_id", Kind.TEXT, "The window's end, as an id.", True),
        Column("source", Kind.TEXT, "The registry's name of the source.", True),
        Column("window_start", Kind.INSTANT, "Where the window begins.", True),
        Column("window_end", Kind.INSTANT, "Where the window ends; not part of it.", True),
        Column(
            "status", Kind.TEXT, "complete, missing (at the deadline) or superseded (a later window covers it).", True
        ),
        Column("rows_landed", Kind.INTEGER, "Rows of the parts of all complete revisions.", True),
        Column("rows_rejected", Kind.INTEGER, "What the same parts put into quarantine.", True),
        Column("closed_at", Kind.INSTANT, "When the window closed like this.", True),
    ),
)
