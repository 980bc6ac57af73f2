{#- What is true of every metric row: tokens are reported or estimated, never both; the classes of the reported tokens add
    up to no more than their sum; an estimate names its method, and nothing else does. -#}
{% test ai_tool_figures_hold(model) %}
    select metric_key
    from {{ model }}
    where tokens_reported is not null and tokens_estimated is not null
        or coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0)
            + coalesce(output_tokens, 0) > coalesce(tokens_reported, 0)
        or tokens_total is distinct from coalesce(tokens_reported, tokens_estimated)
        or (tokens_estimated is null) <> (estimation_method = 'none')
        or estimator_version is null
{% endtest %}
