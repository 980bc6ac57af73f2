"""ifGenerationMatch and its relatives: what makes compare-and-swap possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local.gcs.errors import ApiError


@dataclass(frozen=True, slots=True)
class Version:
    """An object's content (generation) and the metadata of that content (metageneration); both 0 if there is none."""

    generation: int
    metageneration: int


ABSENT = Version(0, 0)


def query_int(query: Mapping[str, str], key: str) -> int | None:
    """A whole number from the query string, None when absent; ApiError 400 when it is not one."""
    text = query.get(key)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise ApiError(400, f"Invalid value for {key}: '{text}'.") from None


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The conditions of one request; an absent one is None and always holds."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str], kind: str = "") -> Preconditions:
        """Read them from a query string; `kind` is "Source" for the conditions on a copy's source."""
        return cls(
            query_int(query, f"if{kind}GenerationMatch"),
            query_int(query, f"if{kind}GenerationNotMatch"),
            query_int(query, f"if{kind}MetagenerationMatch"),
            query_int(query, f"if{kind}MetagenerationNotMatch"),
        )

    def check(self, current: Version, *, reading: bool = False) -> None:
        """Raise ApiError 412 unless all hold for `current`; a failed not-match of a read is 304, as in GCS."""
        if self.generation_match not in (None, current.generation) or self.metageneration_match not in (
            None,
            current.metageneration,
        ):
            raise ApiError(412, "At least one of the pre-conditions you specified did not hold.")
        if current.generation == self.generation_not_match or current.metageneration == self.metageneration_not_match:
            status = 304 if reading and current != ABSENT else 412
            raise ApiError(status, "At least one of the pre-conditions you specified did not hold.")
