{{ config(severity='error') }}
{#- Landed = loaded: the rows that extractions counted are those that COPY counted. Of the pipelines of this build. -#}
{{ unloaded_windows(env_var('DBT_PIPELINES', '')) }}
