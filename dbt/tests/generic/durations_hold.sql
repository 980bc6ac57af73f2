{#- What is true of every incident's times: none is negative; created to detected and detected to resolved add up to
    created to resolved. -#}
{% test durations_hold(model) %}
    select incident_key
    from {{ model }}
    where least(
            coalesce(time_to_detect_sec, 0),
            coalesce(time_to_respond_sec, 0),
            coalesce(time_to_resolve_sec, 0),
            coalesce(time_detect_to_resolve_sec, 0),
            coalesce(impact_duration_min, 0)
        ) < 0
        or time_to_resolve_sec <> time_to_detect_sec + time_detect_to_resolve_sec
{% endtest %}
