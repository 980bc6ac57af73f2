"""What GitHub's registry blocks say beyond what every source says."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class GithubSettings(BaseModel):
    """An organisation, and those of its repositories whose pull requests are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    organisation: Name
    repositories: tuple[Name, ...] = ()
