{#- Two incremental strategies that read no more of the mart than a batch can touch.

    incremental_predicates cannot say it: dbt captures them when it parses, before there is a batch. Here the batch is in
    its temporary table already, so its oldest `_anchor_at` is known. RAW sets that column at a row's first load and never
    changes it, hence the mart's row of every incident in the batch carries the same value: the predicate drops
    partitions, never a match. A date that can be corrected, or a fixed number of days, would insert old rows again.
    A RAW table that was itself built anew has new anchors: build the marts with --full-refresh after that. -#}

{% macro get_incremental_merge_pruned_sql(arg_dict) -%}
  {%- do return(get_merge_sql(
      arg_dict['target_relation'],
      arg_dict['temp_relation'],
      arg_dict['unique_key'],
      arg_dict['dest_columns'],
      (arg_dict['incremental_predicates'] or []) + anchor_predicates(arg_dict['temp_relation']),
  )) -%}
{%- endmacro %}


{#- The same for models with a `hashdiff`: a row of the batch without one is gone and is deleted, a row whose hashdiff
    equals the mart's is left as it is. -#}
{% macro get_incremental_merge_hashdiff_sql(arg_dict) -%}
  {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
  {%- set key = arg_dict['unique_key'] -%}
  {%- set predicates = ['DBT_INTERNAL_SOURCE.' ~ key ~ ' = DBT_INTERNAL_DEST.' ~ key]
      + anchor_predicates(arg_dict['temp_relation']) -%}
  merge into {{ arg_dict['target_relation'] }} as DBT_INTERNAL_DEST
  using {{ arg_dict['temp_relation'] }} as DBT_INTERNAL_SOURCE
  on {{ predicates | join(' and ') }}
  when matched and DBT_INTERNAL_SOURCE.hashdiff is null then delete
  when matched and DBT_INTERNAL_SOURCE.hashdiff <> DBT_INTERNAL_DEST.hashdiff then update set
    {% for column in columns -%}
    {{ column }} = DBT_INTERNAL_SOURCE.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor %}
  when not matched and DBT_INTERNAL_SOURCE.hashdiff is not null then insert
    ({{ columns | join(', ') }})
  values
    (DBT_INTERNAL_SOURCE.{{ columns | join(', DBT_INTERNAL_SOURCE.') }})
{%- endmacro %}


{#- No predicate for an empty batch. The second below the oldest anchor is near enough. -#}
{% macro anchor_predicates(batch) -%}
  {%- set oldest = run_query(
      "select to_char(date_trunc('second', min(_anchor_at)), 'YYYY-MM-DD HH24:MI:SS') from " ~ batch
  ).columns[0][0] -%}
  {%- if oldest is none -%}
    {%- do return([]) -%}
  {%- endif -%}
  {%- do return(["DBT_INTERNAL_DEST._anchor_at >= to_timestamp_ntz('" ~ oldest ~ "')"]) -%}
{%- endmacro %}
