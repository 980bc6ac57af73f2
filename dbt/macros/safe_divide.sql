{#- A ratio that is NULL, not an error, where the denominator is 0. -#}
{% macro safe_divide(numerator, denominator) -%}
  iff({{ denominator }} = 0, null, {{ numerator }} / {{ denominator }})
{%- endmacro %}
