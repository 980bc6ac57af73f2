{{ config(tags=['ai_dx_metrics']) }}

with source as (
    select * from {{ source('ai_telemetry', 'amp_daily_metrics') }}
    where tool = 'amp'
),

renamed as (
    select {{ ai_tool_columns('amp') }}
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by usage_date, actor_spelling_key, model order by _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
