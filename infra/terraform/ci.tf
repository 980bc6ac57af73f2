# Continuous integration signs in by its own identity: no key of it exists that could leak. Its builds (cloudbuild.yaml)
# write their logs, read what dbt's runs left (manifest.json, to build only what changed) and their two Snowflake keys,
# and get the roles that are given by variable, to plan or to apply.

resource "google_iam_workload_identity_pool" "ci" {
  for_each = toset(var.ci[*].repository)

  workload_identity_pool_id = "ci"
  display_name              = "Continuous integration"

  depends_on = [time_sleep.apis]
}

resource "google_iam_workload_identity_pool_provider" "ci" {
  for_each = toset(var.ci[*].repository)

  workload_identity_pool_id          = google_iam_workload_identity_pool.ci[each.key].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"

  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
    "attribute.ref"        = "assertion.ref"
  }
  # every repository of the world is signed by this issuer
  attribute_condition = "assertion.repository == \"${each.key}\" && assertion.ref == \"${var.ci.ref}\""

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "ci" {
  for_each = toset(var.ci[*].repository)

  account_id   = "continuous-integration"
  display_name = "Workflows of ${each.key}"
}

resource "google_service_account_iam_member" "ci" {
  for_each = toset(var.ci[*].repository)

  service_account_id = google_service_account.ci[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.ci[each.key].name}/attribute.repository/${each.key}"
}

resource "google_storage_bucket_iam_member" "ci" {
  for_each = toset(var.ci[*].repository)

  bucket = google_storage_bucket.this["artifacts"].name
  role   = "roles/storage.objectViewer"
  member = google_service_account.ci[each.key].member
}

resource "google_secret_manager_secret_iam_member" "ci" {
  for_each = toset(local.ci_secrets)

  secret_id = google_secret_manager_secret.this[each.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.ci[var.ci.repository].member
}

resource "google_project_iam_member" "ci_logs" {
  for_each = toset(var.ci[*].repository)

  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.ci[each.key].member
}

resource "google_project_iam_member" "ci" {
  for_each = toset(flatten(var.ci[*].roles))

  project = var.project
  role    = each.key
  member  = google_service_account.ci[var.ci.repository].member
}
