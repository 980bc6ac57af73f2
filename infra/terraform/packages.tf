# The code as archives, made here: main.py and requirements.txt at the root, shared/ with the registry beside them.
# An archive is named for its content, so unchanged code deploys nothing.

locals {
  packages  = yamldecode(file("${path.module}/packages.yaml"))
  functions = toset(["extract", "load", "sweep", "webhook"])

  shared_files = setunion([for pattern in local.packages.functions.shared : fileset(local.repository, pattern)]...)
  dbt_files = toset([
    for name in setunion([for pattern in local.packages.dbt.shared : fileset(local.repository, pattern)]...) : name
    if !anytrue([for part in local.packages.dbt.without : strcontains(name, part)])
  ])

  # name in the archive => file
  archives = merge(
    {
      for function in local.functions : function => merge(
        { for name in local.shared_files : name => "${local.repository}/${name}" },
        {
          for name in setunion([for pattern in local.packages.functions.own : fileset("${local.repository}/functions/${function}", pattern)]...) :
          name => "${local.repository}/functions/${function}/${name}"
        },
      )
    },
    { dbt = { for name in local.dbt_files : name => "${local.repository}/${name}" } },
  )

  archive_digests = {
    for archive, files in local.archives : archive =>
    substr(sha256(jsonencode({ for name, path in files : name => filesha256(path) })), 0, 20)
  }
}

data "archive_file" "this" {
  for_each = local.archives

  type        = "zip"
  output_path = "${path.module}/.packages/${each.key}.zip"

  dynamic "source" {
    for_each = each.value
    content {
      filename = source.key
      content  = file(source.value)
    }
  }
}

resource "google_storage_bucket_object" "function" {
  for_each = local.functions

  bucket = google_storage_bucket.this["artifacts"].name
  name   = "functions/${each.key}-${local.archive_digests[each.key]}.zip"
  source = data.archive_file.this[each.key].output_path

  lifecycle {
    precondition {
      condition     = alltrue([for name in ["main.py", "requirements.txt"] : contains(keys(local.archives[each.key]), name)])
      error_message = "functions/${each.key} lacks main.py or requirements.txt."
    }
  }
}

# Images of the functions and of the job.
resource "google_artifact_registry_repository" "images" {
  location      = var.region
  repository_id = "images"
  format        = "DOCKER"
  description   = "Images of the functions and of the dbt job."
  labels        = { source = "all" }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }

  depends_on = [time_sleep.agents]
}

# Builds run as an account of their own: the default ones of a new project may build nothing, or far too much.
resource "google_service_account" "builder" {
  account_id   = "builder"
  display_name = "Builds the functions and the dbt image"

  depends_on = [time_sleep.apis]
}

resource "google_project_iam_member" "builder_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

# a function's source is copied into a bucket of the service's own, whose name is not known before
resource "google_project_iam_member" "builder_sources" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.builder.member

  condition {
    title      = "sources-only"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\") || resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.this["artifacts"].name}/\")"
  }
}

# a role that was just given is not in force everywhere yet, and a first build would fail by it
resource "time_sleep" "builder" {
  create_duration = "90s"
  triggers = {
    account = google_service_account.builder.name
    roles = join(",", [
      google_project_iam_member.builder_logs.role,
      google_project_iam_member.builder_sources.role,
      google_artifact_registry_repository_iam_member.builder.role,
    ])
  }
  depends_on = [time_sleep.agents]
}
