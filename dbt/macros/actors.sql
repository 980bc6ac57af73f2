{#- Who used a tool, told by the tool's own name for them: an e-mail in some spelling, a login, the name of a key. -#}

{#- A name as it is compared: lower-case, trimmed; of an e-mail also without the +tag, and without the dots before the @
    where the domain is one of the var email_domains_without_dots. What is no e-mail is only lower-cased and trimmed. -#}
{% macro normalised_actor(actor) -%}
  {%- set untagged = "regexp_replace(lower(trim(" ~ actor ~ ")), '^([^+@]+)[+][^@]*@([^@]+)$', '\\\\1@\\\\2')" -%}
  {%- set domains = var('email_domains_without_dots') -%}
  {%- if domains -%}
    iff(
        split_part({{ untagged }}, '@', 2) in ('{{ domains | join("', '") }}'),
        replace(split_part({{ untagged }}, '@', 1), '.', '') || '@' || split_part({{ untagged }}, '@', 2),
        {{ untagged }}
    )
  {%- else -%}
    {{ untagged }}
  {%- endif -%}
{%- endmacro %}


{#- The key of an actor. Staging and the list of accounts both take it from here: a hash can be joined only with a hash of
    the same normal form, so the spelling must be made normal before it is hashed; afterwards it is too late. -#}
{% macro actor_key(actor) -%}
  {{ hash_pii(normalised_actor(actor)) }}
{%- endmacro %}
