{#- Pre-hook: the warehouse that fits the run. A hook, not config(): is_incremental() is false while dbt parses configs,
    so a warehouse chosen there is always the large one. Only an incremental model that is built whole needs it. -#}
{% macro use_run_warehouse() -%}
  {%- if execute -%}
    {%- if model.config.materialized == 'incremental' and not is_incremental() -%}
      use warehouse ETL_MEDIUM
    {%- else -%}
      use warehouse {{ target.warehouse }}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}


{#- Post-hook: connections are reused, so the tests that follow on this one go back to the small warehouse. -#}
{% macro use_profile_warehouse() -%}
  {%- if execute and model.config.materialized == 'incremental' and not is_incremental() -%}
    use warehouse {{ target.warehouse }}
  {%- endif -%}
{%- endmacro %}
