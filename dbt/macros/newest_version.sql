{#- Of the rows with one key that one load brought, the newest version. The last line of a staging model's `deduplicated`.
    `version` is the column that dates a version; none where the source has no such instant, and the observation does.

    The load is part of the partition so that a filter on `_ingested_at` passes through to the table: without it every
    incremental mart that wants an hour's rows would have the whole history cast, hashed and ranked first. One row a key
    over all loads is what RAW's MERGE keeps; the staging model's `one_row_per` test holds it to that, and stops the
    build before a mart takes a double. (Filtering before a ranking over all loads would be sound only while the newest
    version of a key is also the one loaded last, and a ranking over all loads would hide that it is not.) -#}
{% macro newest_version(key, version='updated_at') -%}
  qualify row_number() over (
        partition by {{ key }}, _ingested_at order by {{ version ~ ' desc, ' if version }}_observed_at desc
    ) = 1
{%- endmacro %}
