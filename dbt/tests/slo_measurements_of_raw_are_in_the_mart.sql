{{ config(severity='error') }}
{#- By objective and day, the possible hours that the monitors have are in the fact: nothing lost, nothing twice. A day that
    was loaded after the newest load that the fact has seen came while dbt was running and is left to the next build. -#}

with landed as (
    {%- for monitor in var('slo_monitors') %}
    select
        monitor,
        slo_id,
        cast({{ utc('hour_start_at') }} as date) as measured_date,
        sum(iff(not _is_deleted and good_events between 0 and total_events, good_events, 0)) as good_events,
        sum(iff(not _is_deleted and good_events between 0 and total_events, total_events, 0)) as total_events,
        max({{ utc('_ingested_at') }}) as _ingested_at
    from {{ source('slo', monitor.measurements_table) }}
    where monitor = '{{ monitor.name }}'
    group by monitor, slo_id, cast({{ utc('hour_start_at') }} as date)
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
)

select landed.monitor, landed.slo_id, landed.measured_date
from landed
left join {{ ref('fct_slo__daily_attainment') }} as built
    on built.monitor = landed.monitor
    and built.slo_id = landed.slo_id
    and built.measured_date = landed.measured_date
where (landed.good_events is distinct from built.good_events or landed.total_events is distinct from built.total_events)
    and landed._ingested_at <= (
        select coalesce(max(_ingested_at), to_timestamp_ntz('9999-12-31')) from {{ ref('fct_slo__daily_attainment') }}
    )
