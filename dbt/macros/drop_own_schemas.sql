{#- Drops the schemas that a CI run wrote to: those which this target, and nothing else, names. -#}
{% macro drop_own_schemas() -%}
  {%- if target.name not in ['ci', 'local_ci'] -%}
    {{ exceptions.raise_compiler_error("only a CI target has schemas of its own, this is " ~ target.name) }}
  {%- endif -%}
  {%- set own = [target.schema | lower] -%}
  {%- for node in graph.nodes.values() if node.resource_type in ['model', 'snapshot', 'seed'] and node.schema | lower not in own -%}
    {%- do own.append(node.schema | lower) -%}
  {%- endfor -%}
  {%- for schema in own if schema == target.schema | lower or schema.startswith((target.schema | lower) ~ '_') -%}
    {%- do adapter.drop_schema(api.Relation.create(database=target.database, schema=schema)) -%}
    {{ log("dropped schema " ~ target.database ~ "." ~ schema, info=true) }}
  {%- endfor -%}
{%- endmacro %}
