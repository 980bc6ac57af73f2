{#- What is true of every day of an objective: good and bad events add up to all; shares of events lie between 0 and 1; the
    day is part of its window; the budget is what was spent and what is left. -#}
{% test attainment_holds(model) %}
    select daily_key
    from {{ model }}
    where good_events + bad_events <> total_events
        or least(good_events, bad_events) < 0
        or attainment not between 0 and 1
        or (attainment is null) <> (total_events = 0)
        or window_attainment not between 0 and 1
        or window_total_events < total_events
        or window_bad_events < bad_events
        or window_start_date > measured_date
        or error_budget_left_events <> error_budget_events - window_bad_events
        or hours_counted + hours_impossible > 24
{% endtest %}
