{{ config(tags=['slo']) }}
{#- An hour whose counts are impossible counts for nothing, neither do hours that the monitor no longer has; their rows
    stay, so that an incremental mart sees it when one of them becomes so. -#}

with hours as (
    {%- for monitor in var('slo_monitors') %}
    select
        objective_key,
        monitor,
        slo_id,
        hour_start_at,
        good_events,
        total_events,
        is_restated,
        good_events between 0 and total_events as is_possible,
        _is_deleted,
        _ingested_at
    from {{ ref(monitor.measurements_model) }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

final as (
    select
        -- ids
        objective_key,
        monitor,
        slo_id,

        -- numbers
        iff(is_possible and not _is_deleted, good_events, 0) as good_events,
        iff(is_possible and not _is_deleted, total_events, 0) as total_events,
        iff(is_possible and not _is_deleted, total_events - good_events, 0) as bad_events,

        -- booleans
        is_restated and not _is_deleted as is_restated,
        is_possible and not _is_deleted as is_counted,
        not is_possible and not _is_deleted as is_impossible,

        -- times
        hour_start_at,
        cast(hour_start_at as date) as measured_date,

        -- meta
        _ingested_at
    from hours
)

select * from final
