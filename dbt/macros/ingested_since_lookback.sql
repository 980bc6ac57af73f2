{#- The cut of an incremental mart: what was loaded since `lookback_days` before the newest load that the mart has seen.
    Further back than that load, because transactions commit out of order. Everything when the mart is empty. `or_where`
    is a condition of rows that are built anew however old their load is. -#}
{% macro ingested_since_lookback(or_where=none) -%}
  {%- set cut = ingestion_cut() -%}
  {%- if cut -%}
    where _ingested_at >= {{ cut }}
    {%- if or_where %}
      or {{ or_where }}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}


{#- The instant of that cut as SQL; none when everything is built. It is asked for beforehand and stands in the SQL as a
    literal, to the second below: the warehouse compares it with the rows it reads first, where a subquery would be joined
    to the finished rows of the whole view. -#}
{% macro ingestion_cut() -%}
  {%- if execute and is_incremental() -%}
    {%- set cut = run_query(
        "select to_char(date_trunc('second', dateadd('day', -" ~ var('lookback_days') ~ ", max(_ingested_at))), "
        ~ "'YYYY-MM-DD HH24:MI:SS') from " ~ this
    ).columns[0][0] -%}
    {%- if cut is not none -%}
      {{ return("to_timestamp_ntz('" ~ cut ~ "')") }}
    {%- endif -%}
  {%- endif -%}
  {{ return(none) }}
{%- endmacro %}
