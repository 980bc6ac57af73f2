"""What a workspace's registry block says beyond what every source says."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.registry.model import SecretReference

Stamp = Literal["impact_started_at", "detected_at", "responded_at", "fixed_at", "resolved_at"]
Temperature = Literal["critical", "high", "medium", "low"]


class IncidentIoSettings(BaseModel):
    """A workspace: who it is, which incidents it yields and what its own names mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workspace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,30}$")]
    identity: str
    webhook_secret: SecretReference
    """What holds the secrets that the workspace's webhooks are signed with."""
    modes: Annotated[tuple[Literal["standard", "retrospective", "test", "tutorial"], ...], Field(min_length=1)]
    timestamps: dict[Stamp, str]
    affected_services_field: str | None = None
    temperatures: dict[int, Temperature]
