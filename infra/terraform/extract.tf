# Extraction: a topic and a schedule a source; a function, an account and a secret a credential.

locals {
  # Sources of one credential share its rate limit, hence one process; beyond four at a time they would share its memory.
  extract_requests = { for secret, credential in local.credentials : secret => min(4, length(credential.sources)) }
}

module "extract" {
  source   = "./modules/function"
  for_each = local.credentials

  name        = each.value.name
  description = "Extracts what ${each.key} gives access to"
  region      = var.region
  entry_point = "extract"
  build       = local.builds.extract
  environment = local.environment
  labels      = { source = each.key }

  # an extraction holds up to 256 MiB, whatever it reads
  memory        = local.extract_requests[each.key] > 2 ? "2Gi" : "1Gi"
  concurrency   = local.extract_requests[each.key]
  max_instances = 1

  invokers = local.pushed
  secrets  = { (each.key) = google_secret_manager_secret.this[each.key].id }
  buckets = merge(
    {
      # lands what is not there yet: nothing that landed can be replaced or deleted
      landing    = { bucket = google_storage_bucket.this["landing"].name, roles = ["roles/storage.objectCreator", "roles/storage.objectViewer"] }
      state      = { bucket = google_storage_bucket.this["state"].name, roles = ["roles/storage.objectUser"] }
      quarantine = { bucket = google_storage_bucket.this["quarantine"].name, roles = ["roles/storage.objectUser"] }
    },
    each.value.reads_spool ? {
      spool = { bucket = google_storage_bucket.this["spool"].name, roles = ["roles/storage.objectViewer"] }
    } : {},
  )
}

module "extract_topic" {
  source   = "./modules/pushed_topic"
  for_each = local.sources

  name         = "extract-${each.value.slug}"
  project      = var.project
  push         = { uri = module.extract[each.value.secret].uri, account = google_service_account.push.email }
  pubsub_agent = local.pubsub_agent
  labels       = { source = each.key }

  # the source's own function continues by message; the sweep asks again for what failed
  publishers = merge(local.operator, {
    extract   = module.extract[each.value.secret].member
    scheduler = local.scheduler_agent
    sweep     = module.sweep.member
  })
  dead_letter_readers = merge(local.operator, { sweep = module.sweep.member })
}

resource "google_cloud_scheduler_job" "extract" {
  for_each = local.sources

  name        = "extract-${each.value.slug}"
  region      = var.region
  description = "A window of ${each.key} ends"
  schedule    = each.value.cron
  time_zone   = "Etc/UTC"
  paused      = !each.value.enabled

  pubsub_target {
    topic_name = module.extract_topic[each.key].id
    # a bare tick: its window follows from when it is published. The functions framework drops an empty message.
    attributes = { v = "1", source = each.key }
    data       = base64encode(jsonencode({ source = each.key, v = "1" }))
  }

  retry_config {
    retry_count          = 5
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
  }
}
