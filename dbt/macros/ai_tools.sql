{#- What an AI tool's registry block says, as SQL. The tools are the var ai_tools. -#}

{% macro ai_tool(name) -%}
  {%- for block in var('ai_tools') if block.name == name -%}
    {{ return(block) }}
  {%- endfor -%}
  {{ exceptions.raise_compiler_error("The registry has no AI tool named '" ~ name ~ "'.") }}
{%- endmacro %}


{#- The instant at which a window ended, from its id. -#}
{% macro window_end(window_id) -%}
  to_timestamp_ntz(regexp_replace(
      {{ window_id }},
      '^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})Z$',
      '\\1-\\2-\\3 \\4:\\5:00'
  ))
{%- endmacro %}


{#- Whether a row was brought later than it should have been: a day is complete at the tool its lag after the day's end,
    and there is a window every 24 hours. The tool's first window reads the history, which is not late. -#}
{% macro came_late(tool) -%}
  _first_window_id > min(_first_window_id) over ()
    and {{ window_end('_first_window_id') }}
        > dateadd('minute', {{ ((ai_tool(tool).availability_lag_hours + 24) * 60) | int }}, dateadd('day', 1, usage_date))
{%- endmacro %}


{#- The columns of a staging model of this family, from the RAW table's: types cast, the actor hashed. The payload stays
    behind: it holds what the hash hides. -#}
{% macro ai_tool_columns(tool) %}
    -- ids
    tool,
    {{ actor_key('actor') }} as actor_key,
    sha2(actor, 256) as actor_spelling_key,
    model,

    -- text
    actor_kind,
    estimation_method,
    estimator_version,

    -- numbers
    cast(requests as integer) as requests,
    cast(sessions as integer) as sessions,
    cast(accepted_lines as integer) as accepted_lines,
    cast(input_tokens as integer) as input_tokens,
    cast(cache_read_tokens as integer) as cache_read_tokens,
    cast(cache_write_tokens as integer) as cache_write_tokens,
    cast(output_tokens as integer) as output_tokens,
    cast(tokens_reported as integer) as tokens_reported,
    cast(tokens_estimated as integer) as tokens_estimated,
    cast(cost_usd as number(38, 6)) as cost_usd,
    cast(credits as number(38, 6)) as credits,

    -- booleans
    is_active,
    {{ came_late(tool) }} as is_late,
    _restated_at is not null as is_restated,

    -- times, all UTC
    cast(usage_date as date) as usage_date,
    {{ utc('_restated_at') }} as restated_at,

    -- meta
    dq_valid,
    dq_flags,
    _is_deleted,
    _source,
    _window_id,
    _first_window_id,
    _source_file,
    _run_id,
    {{ utc('_observed_at') }} as _observed_at,
    {{ utc('_ingested_at') }} as _ingested_at,
    {{ utc('_anchor_at') }} as _anchor_at
{% endmacro %}


{#- The columns of a tool's daily metrics, of the intermediate model and of its mart. -#}
{% macro ai_tool_metric_columns() %}
        -- ids
        metric_key,
        tool,
        actor_key,
        model,

        -- text
        actor_kind,
        estimation_method,
        estimator_version,

        -- numbers
        requests,
        sessions,
        accepted_lines,
        input_tokens,
        cache_read_tokens,
        cache_write_tokens,
        output_tokens,
        tokens_reported,
        tokens_estimated,
        tokens_total,
        cost_usd,
        credits,

        -- booleans
        is_active,
        is_deleted,
        is_late,
        is_restated,
        dq_valid,

        -- times
        usage_date,
        restated_at,

        -- meta
        dq_flags,
        _window_id,
        _run_id,
        _ingested_at,
        _anchor_at
{%- endmacro %}


{#- The body of a CTE with one row a tool and estimator version: tool, estimator_version, method, tokens_each, is_in_force.
    The newest version is in force. -#}
{% macro ai_tool_estimators() -%}
  {%- for tool in var('ai_tools') -%}
    {%- set last_tool = loop.last -%}
    {%- for estimator in tool.estimators %}
    select
        '{{ tool.name }}' as tool,
        '{{ estimator.version }}' as estimator_version,
        '{{ estimator.method }}' as method,
        {{ estimator.tokens }} as tokens_each,
        {{ 'true' if loop.last else 'false' }} as is_in_force
    {% if not (loop.last and last_tool) %}union all{% endif %}
    {%- endfor -%}
  {%- endfor -%}
{%- endmacro %}


{#- The estimate of a metric row by an estimator's row: nothing where tokens of that person and day are told, and nothing
    where the tool does not tell what the method multiplies. -#}
{% macro estimated_tokens(metrics, estimators) -%}
  iff({{ metrics }}.tokens_are_told, null, case {{ estimators }}.method
        when 'per_request' then {{ metrics }}.requests
        when 'per_accepted_line' then {{ metrics }}.accepted_lines
        when 'per_session' then {{ metrics }}.sessions
    end * {{ estimators }}.tokens_each)
{%- endmacro %}


{#- True of a row of the mart whose estimate was made by a constant that is no longer in force. -#}
{% macro estimated_by_another_version() -%}
  {%- for tool in var('ai_tools') %}
    (tool = '{{ tool.name }}' and estimator_version is distinct from '{{ tool.estimators[-1].version }}')
    {%- if not loop.last %} or {% endif -%}
  {%- endfor -%}
{%- endmacro %}
