# Loading: finalised objects of the landing bucket arrive on the topic landed and are pushed to the loader.

locals {
  landing_prefix = "landing/"

  # reads all that landed, keeps what cannot be loaded, settles windows, and drains the spool once all of it is loaded
  loading_buckets = {
    landing    = { bucket = google_storage_bucket.this["landing"].name, roles = ["roles/storage.objectViewer"] }
    state      = { bucket = google_storage_bucket.this["state"].name, roles = ["roles/storage.objectUser"] }
    spool      = { bucket = google_storage_bucket.this["spool"].name, roles = ["roles/storage.objectUser"] }
    quarantine = { bucket = google_storage_bucket.this["quarantine"].name, roles = ["roles/storage.objectCreator", "roles/storage.objectViewer"] }
  }
}

module "load" {
  source = "./modules/function"

  name        = "load"
  description = "Loads what landed into Snowflake, once"
  region      = var.region
  entry_point = "load"
  build       = local.builds.load
  environment = merge(local.environment, local.warehouse_environment.loader)
  labels      = { source = "all" }

  # one connection a process, whose transactions take turns: more requests at a time would only wait
  memory        = "512Mi"
  concurrency   = 1
  max_instances = var.load_instances

  invokers = local.pushed
  secrets = {
    (local.snowflake_secrets.loader) = google_secret_manager_secret.this[local.snowflake_secrets.loader].id
  }
  buckets = local.loading_buckets
}

module "landed_topic" {
  source = "./modules/pushed_topic"

  name         = "landed"
  project      = var.project
  push         = { uri = module.load.uri, account = google_service_account.push.email }
  pubsub_agent = local.pubsub_agent
  labels       = { source = "all" }

  publishers = merge(local.operator, {
    storage = data.google_storage_project_service_account.this.member
    sweep   = module.sweep.member
  })
  dead_letter_readers = merge(local.operator, { sweep = module.sweep.member })
}

resource "google_storage_notification" "landed" {
  bucket             = google_storage_bucket.this["landing"].name
  topic              = module.landed_topic.id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = local.landing_prefix

  # Cloud Storage refuses a topic that its agent may not publish to
  depends_on = [module.landed_topic]
}

# settling a window starts the dbt job, without overrides: the invoker's role suffices
resource "google_cloud_run_v2_job_iam_member" "load" {
  location = google_cloud_run_v2_job.dbt.location
  name     = google_cloud_run_v2_job.dbt.name
  role     = "roles/run.invoker"
  member   = module.load.member
}
