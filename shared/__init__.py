"""The platform's use cases, rules and ports. `functions/` and `dbt/` hold the entry points."""
