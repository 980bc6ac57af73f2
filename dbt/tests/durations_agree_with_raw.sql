{{ config(severity='error') }}
{#- RAW's times are computed in Python before the load, the unambiguous ones in SQL: both must say the same. -#}

select incident_key
from {{ ref('int_ops__incidents_unioned') }}
where ttd_sec is distinct from time_to_detect_sec
    or ttr_sec is distinct from time_detect_to_resolve_sec
    or tts_sec is distinct from time_to_resolve_sec
    or cast(impact_duration_sec / 60 as number(18, 2)) is distinct from impact_duration_min
