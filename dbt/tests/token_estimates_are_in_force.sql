{{ config(severity='error') }}
{#- The mart's estimates are those of the version in force, however old the row is, and so are those that the list of all
    versions calls in force. What was loaded while dbt was running is left to the next build. -#}

select metrics.metric_key
from {{ ref('int_ai_telemetry__tool_daily_metrics') }} as metrics
left join {{ ref('int_ai_telemetry__token_estimates') }} as estimates
    on estimates.metric_key = metrics.metric_key and estimates.is_in_force
left join {{ ref('fct_ai_telemetry__tool_daily_metrics') }} as fact
    on fact.metric_key = metrics.metric_key and fact._ingested_at = metrics._ingested_at
where estimates.estimator_version is distinct from metrics.estimator_version
    or estimates.tokens_estimated is distinct from metrics.tokens_estimated
    or fact.estimator_version <> metrics.estimator_version
    or fact.metric_key is not null and fact.tokens_estimated is distinct from metrics.tokens_estimated
