"""What became of a source's records: the sum that must come out even."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """Numbers of records, each counted where it happens and not from the others.

    `read` were in the source's pages. `kept` went into rows, perhaps several into one or one into several. `rejected`
    are in quarantine, as a whole or with some of their parts. `skipped` were understood and make no row of their own:
    they lie outside the extraction's range, or only tell about other records.
    """

    read: int = 0
    kept: int = 0
    rejected: int = 0
    skipped: int = 0

    @property
    def unaccounted(self) -> int:
        """Records that were lost on the way; below zero, those that were counted twice."""
        return self.read - self.kept - self.rejected - self.skipped

    def __add__(self, other: "RecordCounts") -> "RecordCounts":
        """The sums."""
        return RecordCounts(
            self.read + other.read,
            self.kept + other.kept,
            self.rejected + other.rejected,
            self.skipped + other.skipped,
        )
