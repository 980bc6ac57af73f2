# Snowflake: where rows are, what computes, and the stage through which they come.
# RAW is written by the loader, ANALYTICS by dbt; dashboards read ANALYTICS.MARTS.

locals {
  # as the code names them: shared/settings.py, dbt/dbt_project.yml and dbt/macros/use_run_warehouse.sql
  raw_schema        = "PUBLIC"
  analytics_schemas = toset(["STAGING", "INTERMEDIATE", "MARTS", "SEEDS", "SNAPSHOTS"])
  warehouses        = { ETL_SMALL = "XSMALL", ETL_MEDIUM = "MEDIUM" }
}

resource "snowflake_database" "raw" {
  name                        = "RAW"
  comment                     = "Rows as their sources gave them, one table a contract"
  data_retention_time_in_days = 1
}

resource "snowflake_database" "analytics" {
  name                        = "ANALYTICS"
  comment                     = "What dbt builds from RAW"
  data_retention_time_in_days = 1
}

# (RAW.PUBLIC comes with its database.)
resource "snowflake_schema" "analytics" {
  for_each = local.analytics_schemas

  database = snowflake_database.analytics.name
  name     = each.key
}

resource "snowflake_resource_monitor" "monthly" {
  provider = snowflake.account

  name                      = "OPERATIONAL_PERFORMANCE"
  credit_quota              = var.snowflake.monthly_credits
  frequency                 = "MONTHLY"
  start_timestamp           = "IMMEDIATELY"
  notify_triggers           = [75, 90]
  suspend_trigger           = 100
  suspend_immediate_trigger = 110
}

resource "snowflake_warehouse" "this" {
  for_each = local.warehouses
  provider = snowflake.account

  name                         = each.key
  warehouse_size               = each.value
  auto_suspend                 = 60
  auto_resume                  = true
  initially_suspended          = true
  resource_monitor             = snowflake_resource_monitor.monthly.name
  statement_timeout_in_seconds = 3600
}

# One apply does both steps: the integration names the account by which Snowflake reads, and that account gets its role.
resource "snowflake_storage_integration" "landing" {
  provider = snowflake.account

  name                      = "OPP_LANDING"
  type                      = "EXTERNAL_STAGE"
  storage_provider          = "GCS"
  enabled                   = true
  storage_allowed_locations = ["gcs://${google_storage_bucket.this["landing"].name}/${local.landing_prefix}"]
}

# no predefined role reads objects and the bucket's own metadata, both of which Snowflake asks for, and nothing else
resource "google_project_iam_custom_role" "snowflake" {
  role_id     = "snowflakeStageReader"
  title       = "Snowflake stage reader"
  description = "What Snowflake needs to load from a bucket"
  permissions = ["storage.buckets.get", "storage.objects.get", "storage.objects.list"]

  depends_on = [time_sleep.apis]
}

resource "google_storage_bucket_iam_member" "snowflake" {
  bucket = google_storage_bucket.this["landing"].name
  role   = google_project_iam_custom_role.snowflake.name
  member = "serviceAccount:${snowflake_storage_integration.landing.storage_gcp_service_account}"
}

resource "snowflake_grant_privileges_to_account_role" "integration" {
  provider = snowflake.account

  account_role_name = "SYSADMIN"
  privileges        = ["USAGE"]

  on_account_object {
    object_type = "INTEGRATION"
    object_name = snowflake_storage_integration.landing.name
  }
}

resource "snowflake_file_format" "parquet" {
  database    = snowflake_database.raw.name
  schema      = local.raw_schema
  name        = "LANDED_PARQUET"
  format_type = "PARQUET"
  compression = "AUTO"
  comment     = "To look into a landed file by hand"
}

resource "snowflake_stage" "landing" {
  database            = snowflake_database.raw.name
  schema              = local.raw_schema
  name                = "LANDING"
  url                 = "gcs://${google_storage_bucket.this["landing"].name}/${local.landing_prefix}"
  storage_integration = snowflake_storage_integration.landing.name
  comment             = "What the extract functions landed"

  depends_on = [google_storage_bucket_iam_member.snowflake, snowflake_grant_privileges_to_account_role.integration]
}
