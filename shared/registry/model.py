"""The types of the registry: what a pipeline and a source are, and what makes them valid together."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.instants import from_text
from shared.windows.schedule import check_cron

SOURCE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""What may be a source's or pipeline's name: it stands in object names, SQL values and topics."""


def _cron(expression: str) -> str:
    check_cron(expression)
    return expression


def _instant(text: str) -> str:
    from_text(text)
    return text


Name = Annotated[str, StringConstraints(pattern=rf"^{SOURCE_NAME.pattern}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,17}[a-z0-9]$")]
SecretReference = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
Cron = Annotated[str, AfterValidator(_cron)]
Instant = Annotated[str, AfterValidator(_instant)]
Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 366)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pipeline(_Entry):
    """The sources that complete together, their cadence, their deadline and what dbt builds afterwards."""

    name: Name
    description: str
    cron: Cron
    deadline_minutes: Annotated[int, Field(ge=5, le=60 * 24)]
    dbt_select: str


class Auth(_Entry):
    """How the key travels; see shared/extract/credentials.py. Never in the query string."""

    kind: Literal["header", "basic", "client_credentials"] = "header"
    header: str = "Authorization"
    scheme: str | None = None
    token_url: AnyHttpUrl | None = None
    scopes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _token_url_where_needed(self) -> "Auth":
        if (self.kind == "client_credentials") != (self.token_url is not None):
            raise ValueError("token_url belongs to client_credentials, and to nothing else")
        return self


class Freshness(_Entry):
    """How long after a window's end a source may go without a complete window."""

    warn_after_minutes: Minutes
    error_after_minutes: Minutes


class Source(_Entry):
    """One thing that is extracted on its own."""

    name: Name
    domain: Name
    """What dbt calls the source; name = domain, instance (if any) and entity, joined by underscores."""
    instance: Name | None = None
    entity: Name
    family: Name
    slug: Slug
    pipeline: Name
    contract: Name
    base_url: AnyHttpUrl
    secret: SecretReference
    auth: Auth
    headers: dict[str, str] = {}
    cursor: Literal["updated_at", "day", "snapshot", "existence"]
    lookback_minutes: Minutes = 0
    availability_lag_hours: Annotated[float, Field(ge=0, le=24 * 14)] = 0
    """cursor day: how long after its end (UTC) a day is complete at the source."""
    repull_days: Annotated[int, Field(ge=0, le=90)] = 0
    """cursor day: how many complete days before the newest are read again, since the vendor re-states them."""
    history_from: Instant
    history_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    """How far back the vendor can be asked at all."""
    full_resync_cron: Cron | None = None
    page_size: Annotated[int, Field(ge=1, le=10_000)]
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)]
    freshness: Freshness
    completes_window: bool = True
    enabled: bool = True
    settings: dict[str, Any] = {}

    @property
    def topic(self) -> str:
        """The Pub/Sub topic whose messages ask for an extraction of this source."""
        return f"extract-{self.slug}"

    @property
    def spool(self) -> str | None:
        """The workspace whose spooled events it reads; None for every cursor but existence."""
        return str(self.settings.get("workspace")) if self.cursor == "existence" else None

    @property
    def history_start(self) -> datetime:
        """Where the first extraction begins."""
        return from_text(self.history_from)
