# A function, the account it runs as, and what that account may touch. Nobody may call it but `invokers`.

resource "google_service_account" "this" {
  account_id   = length(var.name) >= 6 ? var.name : "${var.name}-function"
  display_name = "Runs the function ${var.name}"
}

resource "google_cloudfunctions2_function" "this" {
  name        = var.name
  location    = var.region
  description = var.description
  labels      = var.labels

  build_config {
    runtime           = "python311"
    entry_point       = var.entry_point
    docker_repository = var.build.repository
    service_account   = var.build.service_account

    source {
      storage_source {
        bucket = var.build.bucket
        object = var.build.object
      }
    }

    automatic_update_policy {}
  }

  service_config {
    service_account_email            = google_service_account.this.email
    available_cpu                    = var.cpu
    available_memory                 = var.memory
    timeout_seconds                  = var.timeout_seconds
    min_instance_count               = 0
    max_instance_count               = var.max_instances
    max_instance_request_concurrency = var.concurrency
    ingress_settings                 = var.public ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true
    # as many threads as requests that the platform hands over at a time; the framework's default follows the CPUs
    environment_variables = merge(var.environment, { THREADS = tostring(var.concurrency) })
  }

  lifecycle {
    precondition {
      condition     = var.concurrency == 1 || tonumber(var.cpu) >= 1
      error_message = "${var.name}: more than one request at a time needs a whole CPU."
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers

  location = var.region
  name     = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = each.value
}

resource "google_storage_bucket_iam_member" "this" {
  for_each = merge([
    for purpose, access in var.buckets : { for role in access.roles : "${purpose}/${role}" => { bucket = access.bucket, role = role } }
  ]...)

  bucket = each.value.bucket
  role   = each.value.role
  member = google_service_account.this.member
}

resource "google_secret_manager_secret_iam_member" "this" {
  for_each = var.secrets

  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this.member
}
