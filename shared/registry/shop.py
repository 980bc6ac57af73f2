"""What the shop's registry blocks say beyond what every source says."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ShopSettings(BaseModel):
    """The version of the API that is asked; there is one a quarter, each for a year."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_version: Annotated[str, Field(pattern=r"^\d{4}-(01|04|07|10)$")]
