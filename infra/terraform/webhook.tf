# The webhook: the one function that the internet may call. It checks every signature itself.

module "webhook" {
  source = "./modules/function"

  name        = "webhook"
  description = "Takes signed webhooks and spools their events"
  region      = var.region
  entry_point = "webhook"
  build       = local.builds.webhook
  environment = local.environment
  labels      = { source = "all" }
  public      = true

  memory          = "512Mi"
  concurrency     = 16
  max_instances   = 5
  timeout_seconds = 60 # a sender gives up after 15 s

  invokers = { public = "allUsers" }
  secrets  = { for reference in local.webhook_secrets : reference => google_secret_manager_secret.this[reference].id }
  buckets = {
    # an event is written once and never replaced
    spool = { bucket = google_storage_bucket.this["spool"].name, roles = ["roles/storage.objectCreator", "roles/storage.objectViewer"] }
  }
}
