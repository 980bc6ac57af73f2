"""What an AI tool's registry block says beyond what every source says."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

EstimationMethod = Literal["none", "per_request", "per_accepted_line", "per_session"]


class Estimator(BaseModel):
    """How tokens are estimated where the tool reports none; a changed constant is a new version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,30}$")]
    method: EstimationMethod = "none"
    tokens: Annotated[int, Field(ge=0, le=10_000_000)] = 0

    @model_validator(mode="after")
    def _constant_where_needed(self) -> "Estimator":
        if (self.method == "none") == (self.tokens > 0):
            raise ValueError("tokens is the constant of a method, and of nothing else")
        return self


class AiToolSettings(BaseModel):
    """A tool: its name, how its tokens are estimated, and what its API needs to know.

    `estimators` are all versions there have been, oldest first; the last one is in force, the others stay comparable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    estimators: Annotated[tuple[Estimator, ...], Field(min_length=1)]
    options: dict[str, Any] = {}

    @property
    def estimator(self) -> Estimator:
        """The estimator in force."""
        return self.estimators[-1]

    @model_validator(mode="after")
    def _versions_differ(self) -> "AiToolSettings":
        versions = [estimator.version for estimator in self.estimators]
        if len(set(versions)) != len(versions):
            raise ValueError("two estimators have one version")
        return self
