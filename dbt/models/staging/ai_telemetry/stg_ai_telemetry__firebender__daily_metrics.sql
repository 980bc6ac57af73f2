{{ config(tags=['ai_dx_metrics']) }}

with source as (
    select * from {{ source('ai_telemetry', 'firebender_daily_metrics') }}
    where tool = 'firebender'
),

renamed as (
    select {{ ai_tool_columns('firebender') }}
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
