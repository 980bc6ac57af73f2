"""The tools' answers as docs/sources writes them down: closed types, so that a field too many or too few is noticed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Midnight = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}T00:00:00Z$")]
MidnightMilliseconds = Annotated[int, msgspec.Meta(multiple_of=86_400_000)]
MidnightSeconds = Annotated[int, msgspec.Meta(multiple_of=86_400)]
Milliseconds = Annotated[str, msgspec.Meta(pattern=r"^\d{13}$")]
Uuid = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A type without other fields."""


class SpendMetrics(Closed, frozen=True):
    spend: float
    flat_cost: float
    prompt_tokens: Count
    completion_tokens: Count
    cache_read_input_tokens: Count
    cache_creation_input_tokens: Count
    total_tokens: Count
    successful_requests: Count
    failed_requests: Count
    api_requests: Count
    total_response_time_ms: Count
    timed_requests: Count


class G2Key(Closed, frozen=True):
    key_alias: str | None
    team_id: str | None
    user_id: str | None
    user_email: str | None


class G2OfKey(Closed, frozen=True):
    metrics: SpendMetrics
    metadata: G2Key


class G2Part(Closed, frozen=True):
    metrics: SpendMetrics
    metadata: dict[str, Any]
    api_key_breakdown: dict[str, G2OfKey]


class G2Breakdown(Closed, frozen=True):
    models: dict[str, G2Part]
    model_groups: dict[str, G2Part]
    providers: dict[str, G2Part]
    endpoints: dict[str, G2Part]
    api_keys: dict[str, G2OfKey]
    entities: dict[str, G2Part]
    mcp_servers: dict[str, G2Part]


class G2Result(Closed, frozen=True):
    date: Day
    metrics: SpendMetrics
    breakdown: G2Breakdown


class G2Metadata(Closed, frozen=True):
    total_spend: float
    total_flat_cost: float
    total_prompt_tokens: Count
    total_completion_tokens: Count
    total_cache_read_input_tokens: Count
    total_cache_creation_input_tokens: Count
    total_tokens: Count
    total_successful_requests: Count
    total_failed_requests: Count
    total_api_requests: Count
    page: int
    total_pages: int
    has_more: bool


class G2Activity(Closed, frozen=True):
    results: list[G2Result]
    metadata: G2Metadata


class GooseSnapshot(Closed, frozen=True):
    snapshot_id: Uuid
    session_id: Annotated[str, msgspec.Meta(pattern=r"^\d{8}_\d+$")]
    session_type: Literal["user"]
    user_name: str
    created_at: Instant
    taken_at: Instant
    received_at: Instant
    message_count: Count
    input_tokens: Count | None
    output_tokens: Count | None
    total_tokens: Count | None
    accumulated_input_tokens: Count | None
    accumulated_output_tokens: Count | None
    accumulated_total_tokens: Count | None


class GooseSnapshots(Closed, frozen=True):
    day: Day
    snapshots: list[GooseSnapshot]
    next_cursor: str | None


class ClaudeUser(Closed, frozen=True, tag="user_actor", tag_field="type"):
    email_address: str


class ClaudeKey(Closed, frozen=True, tag="api_actor", tag_field="type"):
    api_key_name: str


class Lines(Closed, frozen=True):
    added: Count
    removed: Count


class ClaudeCore(Closed, frozen=True):
    num_sessions: Count
    lines_of_code: Lines
    commits_by_claude_code: Count
    pull_requests_by_claude_code: Count


class Decided(Closed, frozen=True):
    accepted: Count
    rejected: Count


class ClaudeActions(Closed, frozen=True):
    edit_tool: Decided
    multi_edit_tool: Decided
    write_tool: Decided
    notebook_edit_tool: Decided


class ClaudeTokens(Closed, frozen=True):
    input: Count
    output: Count
    cache_read: Count
    cache_creation: Count


class ClaudeCost(Closed, frozen=True):
    currency: Literal["USD"]
    amount: float


class ClaudeModel(Closed, frozen=True):
    model: str
    tokens: ClaudeTokens
    estimated_cost: ClaudeCost


class ClaudeRecord(Closed, frozen=True):
    date: Midnight
    actor: ClaudeUser | ClaudeKey
    organization_id: Uuid
    customer_type: Literal["api", "subscription"]
    subscription_type: str | None
    terminal_type: str
    core_metrics: ClaudeCore
    tool_actions: ClaudeActions
    model_breakdown: list[ClaudeModel]


class ClaudeReport(Closed, frozen=True):
    data: list[ClaudeRecord]
    has_more: bool
    next_page: str | None


class CursorPeriod(Closed, frozen=True, rename="camel"):
    start_date: int
    end_date: int


class CursorPagination(Closed, frozen=True, rename="camel"):
    num_pages: Count
    current_page: Count
    page_size: Count
    has_next_page: bool
    has_previous_page: bool


class CursorMember(Closed, frozen=True, rename="camel"):
    user_id: str
    email: str
    is_active: bool
    total_lines_added: Count
    total_lines_deleted: Count
    accepted_lines_added: Count
    accepted_lines_deleted: Count
    total_applies: Count
    total_accepts: Count
    total_rejects: Count
    total_tabs_shown: Count
    total_tabs_accepted: Count
    composer_requests: Count
    chat_requests: Count
    agent_requests: Count
    cmdk_usages: Count
    bugbot_usages: Count
    subscription_included_reqs: Count
    api_key_reqs: Count
    usage_based_reqs: Count
    most_used_model: str | msgspec.UnsetType = msgspec.UNSET
    client_version: str | msgspec.UnsetType = msgspec.UNSET
    date: MidnightMilliseconds | msgspec.UnsetType = msgspec.UNSET
    day: Day | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if (self.date is msgspec.UNSET) == (self.day is msgspec.UNSET):
            raise ValueError("either `date` or `day`")


class CursorDaily(Closed, frozen=True):
    data: list[CursorMember]
    period: CursorPeriod
    pagination: CursorPagination | msgspec.UnsetType = msgspec.UNSET


class CursorTokens(Closed, frozen=True, rename="camel"):
    input_tokens: Count
    output_tokens: Count
    cache_write_tokens: Count
    cache_read_tokens: Count
    total_cents: float


class CursorEvent(Closed, frozen=True, rename="camel"):
    timestamp: Milliseconds
    user_email: str
    model: str
    kind: str
    max_mode: bool
    requests_costs: float
    is_token_based_call: bool
    is_free_bugbot: bool
    token_usage: CursorTokens | msgspec.UnsetType = msgspec.UNSET
    charged_cents: float | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if self.is_token_based_call != (self.token_usage is not msgspec.UNSET):
            raise ValueError("`tokenUsage` only if `isTokenBasedCall`")


class CursorEvents(Closed, frozen=True, rename="camel"):
    total_usage_events_count: Count
    pagination: CursorPagination
    usage_events: list[CursorEvent]
    period: CursorPeriod


class FirebenderDay(Closed, frozen=True, rename="camel"):
    date: MidnightMilliseconds
    email: str
    ide_opened: bool
    agent_prompts: Count
    agent_accepts: Count
    agent_full_accepts: Count
    agent_accepted_lines_added: Count
    agent_accepted_lines_removed: Count
    inline_edits: Count
    inline_edit_accepts: Count
    inline_accepted_lines_added: Count
    inline_accepted_lines_removed: Count
    autocomplete_shown: Count
    autocomplete_accepts: Count
    autocomplete_accepted_characters_added: Count
    autocomplete_accepted_characters_removed: Count


class FirebenderDaily(Closed, frozen=True):
    data: list[FirebenderDay]
    period: CursorPeriod


class FirebenderRequest(Closed, frozen=True, rename="camel"):
    request_id: Uuid
    timestamp: Instant
    email: str
    model: str
    input_tokens: Count
    output_tokens: Count
    cache_read_tokens: Count
    cache_write_tokens: Count
    total_tokens: Count
    cost_usd: float
    spend_type: str
    mode: str


class FirebenderRequests(Closed, frozen=True):
    data: list[FirebenderRequest]
    next_cursor: str | None = msgspec.field(name="nextCursor")


class AmpUser(Closed, frozen=True):
    id: str
    email: str | msgspec.UnsetType = msgspec.UNSET


class AmpMetrics(Closed, frozen=True, rename="camel"):
    lines_added: Count
    lines_deleted: Count
    lines_modified: Count
    usage: float


class AmpModel(Closed, frozen=True, rename="camel"):
    requests: Count
    input_tokens: Count
    output_tokens: Count
    cache_read_input_tokens: Count
    cache_creation_input_tokens: Count
    total_tokens: Count
    usage: float


class AmpUserDay(Closed, frozen=True):
    user: AmpUser
    metrics: AmpMetrics
    models: dict[str, AmpModel]


class AmpDay(Closed, frozen=True):
    date: Day
    users: list[AmpUserDay]


class AmpMetadata(Closed, frozen=True, rename="camel"):
    start_date: Day
    end_date: Day
    active_users: Count
    total_users: Count
    total_usage: float


class AmpDaily(Closed, frozen=True):
    metadata: AmpMetadata
    data: list[AmpDay]


class CodexActor(Closed, frozen=True):
    type: Literal["user"]
    user_id: str
    email: str | msgspec.UnsetType = msgspec.UNSET


class CodexTotals(Closed, frozen=True):
    threads: Count
    turns: Count
    credits: float


class CodexClient(CodexTotals, frozen=True, kw_only=True):
    client_id: str
    uncached_text_input_tokens: Count | msgspec.UnsetType = msgspec.UNSET
    cached_text_input_tokens: Count | msgspec.UnsetType = msgspec.UNSET
    text_output_tokens: Count | msgspec.UnsetType = msgspec.UNSET
    text_total_tokens: Count | msgspec.UnsetType = msgspec.UNSET


class CodexModel(Closed, frozen=True):
    model: str
    credits: float


class CodexLines(Closed, frozen=True):
    lines_added: Count
    lines_removed: Count | msgspec.UnsetType = msgspec.UNSET


class CodexRow(Closed, frozen=True, kw_only=True):
    object: str
    start_time: MidnightSeconds
    end_time: MidnightSeconds
    user_id: str
    email: str | msgspec.UnsetType = msgspec.UNSET
    actor: CodexActor
    totals: CodexTotals
    clients: list[CodexClient]
    models: list[CodexModel]
    code_attribution: CodexLines | msgspec.UnsetType = msgspec.UNSET


class CodexUsage(Closed, frozen=True):
    object: Literal["page"]
    data: list[CodexRow]
    has_more: bool
    next_page: str | None


class CopilotLinks(Closed, frozen=True):
    download_links: list[str]
    report_day: Day


class CopilotSums(Closed, frozen=True, kw_only=True):
    user_initiated_interaction_count: Count
    code_generation_activity_count: Count
    code_acceptance_activity_count: Count
    loc_suggested_to_add_sum: Count
    loc_suggested_to_delete_sum: Count
    loc_added_sum: Count
    loc_deleted_sum: Count


class CopilotPart(CopilotSums, frozen=True, kw_only=True):
    ide: str | msgspec.UnsetType = msgspec.UNSET
    feature: str | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET
    model: str | msgspec.UnsetType = msgspec.UNSET


class CopilotTokens(Closed, frozen=True):
    prompt_tokens_sum: Count
    output_tokens_sum: Count
    avg_tokens_per_request: float


class CopilotCli(Closed, frozen=True):
    session_count: Count
    request_count: Count
    prompt_count: Count
    token_usage: CopilotTokens


class CopilotUserDay(CopilotSums, frozen=True, kw_only=True):
    day: Day
    organization_id: str
    user_id: int
    user_login: str
    totals_by_ide: list[CopilotPart]
    totals_by_feature: list[CopilotPart]
    totals_by_language_feature: list[CopilotPart]
    totals_by_language_model: list[CopilotPart]
    totals_by_model_feature: list[CopilotPart]
    used_agent: bool
    used_chat: bool
    used_cli: bool
    totals_by_cli: CopilotCli | msgspec.UnsetType = msgspec.UNSET
