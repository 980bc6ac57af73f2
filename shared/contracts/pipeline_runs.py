"""`PIPELINE_RUNS`: what every run read, rejected, landed and loaded; dbt's reconciliation reads it."""

from shared.contracts.contract import Column, Kind
from shared.contracts.platform_table import PlatformTable

PIPELINE_RUNS = PlatformTable(
    name="PIPELINE_RUNS",
    grain="One row per run: an invocation of extract or load that worked on a source and window.",
    keys=("run_id",),
    newest="finished_at",
    columns=(
        Column("run_id", Kind.TEXT, "The run's id, as in its log lines.", True),
        Column("step", Kind.TEXT, "extract or load.", True),
        Column("pipeline", Kind.TEXT, "The pipeline.", True),
        Column("source", Kind.TEXT, "The registry's name of the source.", True),
        Column("window_id", Kind.TEXT, "The window's end, as an id.", True),
        Column("window_end", Kind.INSTANT, "Where the window ends.", True),
        Column("revision", Kind.INTEGER, "0 for the scheduled extraction, more for replays.", True),
        Column("first_part", Kind.INTEGER, "First part that the run landed or loaded; NULL for none."),
        Column("last_part", Kind.INTEGER, "Last part that the run landed or loaded; NULL for none."),
        Column(
            "is_full",
            Kind.BOOLEAN,
            "The extraction read the source's whole history; NULL when it did not get that far.",
        ),
        Column("started_at", Kind.INSTANT, "When the run began.", True),
        Column("finished_at", Kind.INSTANT, "When the run ended.", True),
        Column("seconds", Kind.NUMBER, "How long it took.", True),
        Column("status", Kind.TEXT, "done, continued (by another run) or failed.", True),
        Column("error", Kind.TEXT, "The type of the error that a failed run ended with."),
        Column(
            "records_read",
            Kind.INTEGER,
            "Records in the source's pages, of the parts; NULL in a load of an older part.",
        ),
        Column("records_kept", Kind.INTEGER, "Records that went into rows."),
        Column("records_rejected", Kind.INTEGER, "Records in quarantine, as a whole or in parts."),
        Column(
            "records_skipped", Kind.INTEGER, "Records that make no row: outside the range, or telling about others."
        ),
        Column("rows_landed", Kind.INTEGER, "Rows of the parts, as the extraction counted them.", True),
        Column(
            "rows_loaded", Kind.INTEGER, "Rows that COPY counted, also when an earlier run did it; NULL for extract."
        ),
        Column("watermark_start", Kind.INSTANT, "extract: the source's watermark when the run began."),
        Column("watermark_end", Kind.INSTANT, "The highest version in the parts."),
        Column("recorded_at", Kind.INSTANT, "When the dbt job wrote the row.", True),
    ),
)
"""Parts that a run only found, landed by another, are the other's."""
