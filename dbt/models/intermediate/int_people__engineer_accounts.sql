{{ config(tags=['ai_dx_metrics']) }}
{#- The list holds spellings, the telemetry hashes: both go through actor_key, so they meet. Spellings that differ only in
    case, padding or +tag have one key already and need one line in the list; others (a login, another address) need a
    line of their own. -#}

with accounts as (
    select engineer_id, {{ actor_key('account') }} as actor_key
    from {{ ref('seed_engineer_accounts') }}
),

final as (
    -- an account of two engineers fails a test; until it is mended it belongs to one of them, not to both
    select actor_key, {{ hash_pii('min(engineer_id)') }} as engineer_key
    from accounts
    group by actor_key
)

select * from final
