{#- An array of flags with more added: `rules` maps a flag to the condition under which it is raised. A flag that is
    there already is not added twice. By text, so that it means the same on the local stand-in, whose arrays are JSON. -#}
{% macro with_dq_flags(flags, rules) -%}
  parse_json(replace(
    substr(to_json({{ flags }}), 1, length(to_json({{ flags }})) - 1)
    {%- for flag, condition in rules.items() %}
    || iff(({{ condition }}) and position('"{{ flag }}"' in to_json({{ flags }})) = 0, ',"{{ flag }}"', '')
    {%- endfor %}
    || ']',
    '[,', '['
  ))
{%- endmacro %}
