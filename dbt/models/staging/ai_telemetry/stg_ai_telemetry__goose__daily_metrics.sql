{{ config(tags=['ai_dx_metrics']) }}

with source as (
    select * from {{ source('ai_telemetry', 'goose_daily_metrics') }}
    where tool = 'goose'
),

renamed as (
    select {{ ai_tool_columns('goose') }}
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
