# How messages reach functions, and what every function is told.

# Signs the push requests; may call the functions that are pushed to, and nothing else.
resource "google_service_account" "push" {
  account_id   = "pubsub-push"
  display_name = "Signs Pub/Sub's push requests"

  depends_on = [time_sleep.apis]
}

resource "google_service_account_iam_member" "push_tokens" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

locals {
  pubsub_agent    = google_project_service_identity.this["pubsub.googleapis.com"].member
  scheduler_agent = google_project_service_identity.this["cloudscheduler.googleapis.com"].member

  pushed   = { push = google_service_account.push.member }
  operator = { for member in var.operators : member => member }

  builds = {
    for function in local.functions : function => {
      bucket          = google_storage_bucket_object.function[function].bucket
      object          = google_storage_bucket_object.function[function].name
      repository      = google_artifact_registry_repository.images.id
      service_account = time_sleep.builder.triggers.account
    }
  }

  dbt_job = "dbt"

  # what every entry point is told; see shared/settings.py
  environment = {
    OPP_PROJECT           = var.project
    OPP_REGION            = var.region
    OPP_LANDING_BUCKET    = google_storage_bucket.this["landing"].name
    OPP_STATE_BUCKET      = google_storage_bucket.this["state"].name
    OPP_SPOOL_BUCKET      = google_storage_bucket.this["spool"].name
    OPP_QUARANTINE_BUCKET = google_storage_bucket.this["quarantine"].name
    OPP_ARTIFACTS_BUCKET  = google_storage_bucket.this["artifacts"].name
    OPP_SECRETS           = "secret-manager"
    OPP_DBT_JOB           = local.dbt_job
  }

  # and who knocks at the warehouse, as whom
  warehouse_environment = {
    for role, user in { loader = snowflake_service_user.this["LOADER"], transformer = snowflake_service_user.this["TRANSFORMER"] } :
    role => {
      OPP_SNOWFLAKE_ACCOUNT            = "${var.snowflake.organization}-${var.snowflake.account}"
      OPP_SNOWFLAKE_USER               = user.login_name
      OPP_SNOWFLAKE_ROLE               = user.default_role
      OPP_SNOWFLAKE_WAREHOUSE          = user.default_warehouse
      OPP_SNOWFLAKE_DATABASE           = snowflake_stage.landing.database
      OPP_SNOWFLAKE_SCHEMA             = snowflake_stage.landing.schema
      OPP_SNOWFLAKE_STAGE              = snowflake_stage.landing.name
      OPP_SNOWFLAKE_PRIVATE_KEY_SECRET = google_secret_manager_secret.this[local.snowflake_secrets[role]].secret_id
    }
  }
}
