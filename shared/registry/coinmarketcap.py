"""What CoinMarketCap's registry block says beyond what every source says."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class CoinMarketCapSettings(BaseModel):
    """The provider's name in the rows, and the currency that amounts are asked for in; each further one would cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
