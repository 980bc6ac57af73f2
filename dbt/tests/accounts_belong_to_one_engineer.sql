{{ config(severity='error') }}
{#- In its normal form, an account is listed for one engineer only: a tool's use cannot be two persons' at once. -#}

select {{ actor_key('account') }} as actor_key, count(distinct engineer_id) as engineers
from {{ ref('seed_engineer_accounts') }}
group by {{ actor_key('account') }}
having count(distinct engineer_id) > 1
