{#- The one way a personal value leaves staging: equal people get equal hashes, whatever the case or padding. -#}
{% macro hash_pii(column) -%}
  sha2(lower(trim({{ column }})), 256)
{%- endmacro %}
