# The dbt job: one container that builds whatever window is pending, started by the loader or the sweep.

resource "google_service_account" "dbt" {
  account_id   = "dbt-job"
  display_name = "Runs the dbt job"

  depends_on = [time_sleep.apis]
}

resource "google_cloud_run_v2_job" "dbt" {
  name                = local.dbt_job
  location            = var.region
  deletion_protection = var.environment == "prod"
  labels              = { source = "all" }

  template {
    task_count = 1

    template {
      service_account = google_service_account.dbt.email
      # two runs at a time would double snapshots; what failed stays requested, and the sweep starts the job again
      max_retries = 0
      timeout     = "3600s"

      containers {
        # until the first image is built: ends at once, so that requests stay where they are
        image = "us-docker.pkg.dev/cloudrun/container/job:latest"

        resources {
          limits = { cpu = "2", memory = "2Gi" }
        }

        dynamic "env" {
          for_each = merge(local.environment, local.warehouse_environment.transformer)
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  lifecycle {
    # the build below puts the image in; OPP_DBT_TARGET_PATH stands in it
    ignore_changes = [template[0].template[0].containers[0].image, client, client_version]
  }

  depends_on = [time_sleep.agents]
}

resource "google_storage_bucket_iam_member" "dbt_state" {
  bucket = google_storage_bucket.this["state"].name
  role   = "roles/storage.objectUser"
  member = google_service_account.dbt.member
}

# its runs, and the manifest that Slim CI compares with; not the source archives, which are in the same bucket
resource "google_storage_bucket_iam_member" "dbt_artifacts" {
  bucket = google_storage_bucket.this["artifacts"].name
  role   = "roles/storage.objectUser"
  member = google_service_account.dbt.member

  condition {
    title = "runs-and-state-only"
    expression = join(" || ", [
      for prefix in ["runs/", "state/"] :
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.this["artifacts"].name}/objects/${prefix}\")"
    ])
  }
}

resource "google_secret_manager_secret_iam_member" "dbt" {
  secret_id = google_secret_manager_secret.this[local.snowflake_secrets.transformer].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.dbt.member
}

# The image is built in the cloud whenever its source changes: the archive's arrival starts the build, which ends by
# giving the job the new image. Nobody builds or pushes anything.

resource "google_pubsub_topic" "dbt_source" {
  name   = "dbt-source"
  labels = { source = "all" }

  depends_on = [time_sleep.apis]
}

resource "google_pubsub_topic_iam_member" "dbt_source" {
  topic  = google_pubsub_topic.dbt_source.id
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.this.member
}

resource "google_storage_notification" "dbt_source" {
  bucket             = google_storage_bucket.this["artifacts"].name
  topic              = google_pubsub_topic.dbt_source.id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = "dbt/"

  depends_on = [google_pubsub_topic_iam_member.dbt_source]
}

# the builder puts a new image into this job, and so acts as the job's account
resource "google_cloud_run_v2_job_iam_member" "builder" {
  location = google_cloud_run_v2_job.dbt.location
  name     = google_cloud_run_v2_job.dbt.name
  role     = "roles/run.developer"
  member   = google_service_account.builder.member
}

resource "google_service_account_iam_member" "builder_dbt" {
  service_account_id = google_service_account.dbt.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.builder.member
}

resource "google_cloudbuild_trigger" "dbt_image" {
  name            = "dbt-image"
  location        = var.region
  description     = "A new source archive of the dbt job: build its image, and give it to the job"
  service_account = time_sleep.builder.triggers.account

  pubsub_config {
    topic = google_pubsub_topic.dbt_source.id
  }

  substitutions = {
    _SOURCE = "gs://$(body.message.attributes.bucketId)/$(body.message.attributes.objectId)"
    _IMAGE  = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/dbt"
  }

  build {
    timeout = "1200s"

    step {
      id         = "fetch"
      name       = "gcr.io/google.com/cloudsdktool/cloud-sdk:slim"
      entrypoint = "bash"
      args       = ["-euc", "gcloud storage cp \"$_SOURCE\" source.zip && python3 -m zipfile -e source.zip source"]
    }
    step {
      id   = "build"
      name = "gcr.io/cloud-builders/docker"
      args = ["build", "--tag", "$_IMAGE:$BUILD_ID", "--file", "source/dbt/Dockerfile", "source"]
    }
    step {
      id   = "push"
      name = "gcr.io/cloud-builders/docker"
      args = ["push", "$_IMAGE:$BUILD_ID"]
    }
    step {
      id         = "deploy"
      name       = "gcr.io/google.com/cloudsdktool/cloud-sdk:slim"
      entrypoint = "gcloud"
      args       = ["run", "jobs", "update", google_cloud_run_v2_job.dbt.name, "--image=$_IMAGE:$BUILD_ID", "--region=${var.region}", "--quiet"]
    }

    options {
      logging             = "CLOUD_LOGGING_ONLY"
      substitution_option = "ALLOW_LOOSE"
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.builder, google_service_account_iam_member.builder_dbt]
}

# last of all: its arrival starts the build
resource "google_storage_bucket_object" "dbt_source" {
  bucket = google_storage_bucket.this["artifacts"].name
  name   = "dbt/source-${local.archive_digests["dbt"]}.zip"
  source = data.archive_file.this["dbt"].output_path

  depends_on = [google_cloudbuild_trigger.dbt_image, google_storage_notification.dbt_source]
}
