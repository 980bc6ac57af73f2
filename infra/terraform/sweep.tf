# The sweep: on a schedule of its own, what events lost is found again.

module "sweep" {
  source = "./modules/function"

  name        = "sweep"
  description = "Finds again what events lost"
  region      = var.region
  entry_point = "sweep"
  build       = local.builds.sweep
  environment = local.environment
  labels      = { source = "all" }

  memory        = "512Mi"
  concurrency   = 1
  max_instances = 1

  invokers = local.pushed
  buckets  = local.loading_buckets
}

module "sweep_topic" {
  source = "./modules/pushed_topic"

  name         = "sweep"
  project      = var.project
  push         = { uri = module.sweep.uri, account = google_service_account.push.email }
  pubsub_agent = local.pubsub_agent
  labels       = { source = "all" }

  publishers          = merge(local.operator, { scheduler = local.scheduler_agent })
  dead_letter_readers = merge(local.operator, { sweep = module.sweep.member })
}

resource "google_cloud_scheduler_job" "sweep" {
  name        = "sweep"
  region      = var.region
  description = "Looks for what events lost"
  schedule    = var.sweep_cron
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = module.sweep_topic.id
    data       = base64encode(jsonencode({ sweep = "all" }))
  }

  retry_config {
    retry_count          = 3
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
  }
}

resource "google_cloud_run_v2_job_iam_member" "sweep" {
  location = google_cloud_run_v2_job.dbt.location
  name     = google_cloud_run_v2_job.dbt.name
  role     = "roles/run.invoker"
  member   = module.sweep.member
}
