"""`FACT_AI_TOOL_DAILY_METRICS`: what each person used of each AI coding tool, by day and model."""

from shared.contracts.contract import BOOLEAN, DATE, INTEGER, JSON, MONEY, TEXT, Column, Contract

AI_TOOL_DAILY_METRICS = Contract(
    name="ai_tool_daily_metrics",
    table="FACT_AI_TOOL_DAILY_METRICS",
    grain="One row per tool, UTC day, actor and model, as the tool last stated it.",
    keys=("tool", "usage_date", "actor", "model"),
    version="_observed_at",
    anchor="usage_date",
    cluster_by="usage_date",
    scope="usage_date",
    digest="content_digest",
    columns=(
        Column("tool", TEXT, "The tool, as the registry names it.", True),
        Column("usage_date", DATE, "The UTC day of the use.", True),
        Column(
            "actor", TEXT, "Who used it, as the tool names them: e-mail, login, or name of an API key.", True, pii=True
        ),
        Column("actor_kind", TEXT, "What the actor's name is: email, login, api_key, service or unknown.", True),
        Column("model", TEXT, "The model, as the tool names it; `all` where the tool does not tell.", True),
        Column("requests", INTEGER, "Requests to a model; NULL where the tool does not tell."),
        Column("sessions", INTEGER, "Sessions or threads; NULL where the tool does not tell."),
        Column("accepted_lines", INTEGER, "Lines of code that the person accepted; NULL where the tool does not tell."),
        Column("input_tokens", INTEGER, "Tokens sent, without those read from or written to a cache."),
        Column("cache_read_tokens", INTEGER, "Tokens read from a cache."),
        Column("cache_write_tokens", INTEGER, "Tokens written to a cache."),
        Column("output_tokens", INTEGER, "Tokens received."),
        Column("tokens_reported", INTEGER, "All tokens, as the tool reports them; NULL where it reports none."),
        Column("tokens_estimated", INTEGER, "Tokens by the estimator, only where none are reported."),
        Column("estimation_method", TEXT, "How they were estimated: per_request, per_accepted_line, per_chat or none."),
        Column("estimator_version", TEXT, "The version of the estimator's constants."),
        Column("cost_usd", MONEY, "Cost in US dollars; NULL where the tool does not tell."),
        Column("credits", MONEY, "The tool's own units of account, which are no money; NULL where it has none."),
        Column("is_active", BOOLEAN, "Whether the person did anything that day.", True),
        Column("content_digest", TEXT, "SHA-256 of the figures: another one is a re-statement by the vendor.", True),
        Column("payload", JSON, "The records that the row sums up, an array of them as received.", True),
    ),
)
