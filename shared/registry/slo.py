"""What an SLO monitor's registry block says beyond what every source says."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class SloSettings(BaseModel):
    """A monitor, by the name that its rows carry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    monitor: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
