{{ config(tags=['ai_dx_metrics']) }}

with source as (
    select * from {{ source('ai_telemetry', 'chatgpt_daily_metrics') }}
    where tool = 'chatgpt'
),

renamed as (
    select {{ ai_tool_columns('chatgpt') }}
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('usage_date, actor_spelling_key, model', version=none) }}
),

final as (
    select * from deduplicated
)

select * from final
