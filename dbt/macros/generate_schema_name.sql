{#- prod and local write to STAGING, INTERMEDIATE and MARTS; a developer to sandbox_<user>_<schema>; ci beside its own
    schema. So nobody but the job writes where dashboards read. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- set folder = (custom_schema_name or target.schema) | trim -%}
  {%- if target.name in ['prod', 'local'] -%}
    {{ folder }}
  {%- elif target.name == 'dev' -%}
    sandbox_{{ modules.re.sub('[^a-z0-9]+', '_', target.user | lower) }}_{{ folder }}
  {%- elif custom_schema_name -%}
    {{ target.schema | trim }}_{{ folder }}
  {%- else -%}
    {{ target.schema | trim }}
  {%- endif -%}
{%- endmacro %}
