{#- A lower percentile is not above a higher one; there are percentiles exactly where enough engineers' tokens are known. -#}
{% test percentiles_hold(model) %}
    select weekly_key
    from {{ model }}
    where tokens_total_p50 > tokens_total_p75
        or tokens_total_p75 > tokens_total_p95
        or tokens_reported_p50 > tokens_reported_p75
        or tokens_reported_p75 > tokens_reported_p95
        or (engineers_with_tokens >= {{ var('minimum_group_size') }}) <> (tokens_total_p50 is not null)
        or (engineers_with_reported_tokens >= {{ var('minimum_group_size') }}) <> (tokens_reported_p50 is not null)
        or engineers_with_reported_tokens > engineers_with_tokens
        or engineers_with_tokens > engineers
{% endtest %}
