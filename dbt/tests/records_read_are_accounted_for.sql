{{ config(severity='error') }}
{#- At the source = landed + quarantined + skipped, each counted where it happens. Of the pipelines of this build: another
    pipeline's trouble is its own build's, and only warns here (runs_of_other_pipelines_come_out_even). -#}
{{ unaccounted_runs(env_var('DBT_PIPELINES', '')) }}
