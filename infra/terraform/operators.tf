# People who run the operator's commands. They read everything that tells how things are, publish messages (topics and
# dead letters are granted where those are), and write what a replay writes; of secrets they see nothing.

locals {
  operator_buckets = {
    landing    = "roles/storage.objectViewer"
    state      = "roles/storage.objectUser"
    spool      = "roles/storage.objectViewer"
    quarantine = "roles/storage.objectUser"
    artifacts  = "roles/storage.objectViewer"
  }
}

resource "google_storage_bucket_iam_member" "operator" {
  for_each = {
    for pair in setproduct(keys(local.operator_buckets), var.operators) : join("/", pair) => { purpose = pair[0], member = pair[1] }
  }

  bucket = google_storage_bucket.this[each.value.purpose].name
  role   = local.operator_buckets[each.value.purpose]
  member = each.value.member
}

# with overrides: a full refresh is an argument
resource "google_cloud_run_v2_job_iam_member" "operator" {
  for_each = var.operators

  location = google_cloud_run_v2_job.dbt.location
  name     = google_cloud_run_v2_job.dbt.name
  role     = "roles/run.jobsExecutorWithOverrides"
  member   = each.value
}
