# APIs, and the agents by which Google's services act in this project. A fresh project has neither, and both arrive late:
# whatever needs them waits here.

locals {
  apis = toset([
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
  ])

  # an agent, and the role that its service gives it by itself in the end
  agents = {
    "artifactregistry.googleapis.com" = "roles/artifactregistry.serviceAgent"
    "cloudbuild.googleapis.com"       = "roles/cloudbuild.serviceAgent"
    "cloudfunctions.googleapis.com"   = "roles/cloudfunctions.serviceAgent"
    "cloudscheduler.googleapis.com"   = "roles/cloudscheduler.serviceAgent"
    "pubsub.googleapis.com"           = "roles/pubsub.serviceAgent"
    "run.googleapis.com"              = "roles/run.serviceAgent"
  }
}

resource "google_project_service" "this" {
  for_each = local.apis

  service            = each.key
  disable_on_destroy = false
}

resource "time_sleep" "apis" {
  create_duration = "60s"
  triggers        = { apis = join(",", [for api in google_project_service.this : api.service]) }
}

resource "google_project_service_identity" "this" {
  for_each = local.agents
  provider = google-beta

  service    = each.key
  depends_on = [time_sleep.apis]
}

resource "google_project_iam_member" "agent" {
  for_each = local.agents

  project = var.project
  role    = each.value
  member  = google_project_service_identity.this[each.key].member
}

# makes the storage agent when there is none
data "google_storage_project_service_account" "this" {
  depends_on = [time_sleep.apis]
}

resource "time_sleep" "agents" {
  create_duration = "60s"
  triggers        = { agents = join(",", [for agent in google_project_iam_member.agent : agent.member]) }
}

# who reads a secret is written down
resource "google_project_iam_audit_config" "secrets" {
  project = var.project
  service = "secretmanager.googleapis.com"

  audit_log_config {
    log_type = "DATA_READ"
  }
}
