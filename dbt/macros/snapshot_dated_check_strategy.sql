{#- The check strategy, dated by the data's updated_at. dbt makes a version's id of the key and updated_at alone: a change
    that bears the date of the version before it gets that version's id, so the old one is closed and the new one never
    inserted, and the key has no open version any more. Here the id is of the run too. -#}
{% macro snapshot_dated_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) -%}
  {%- set strategy = snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) -%}
  {%- do strategy.update({
      'scd_id': snapshot_hash_arguments(
          api.Relation.scd_args(strategy.unique_key, strategy.updated_at) + ["'" ~ invocation_id ~ "'"]
      )
  }) -%}
  {%- do return(strategy) -%}
{%- endmacro %}
