# Every secret that the registry or the warehouse refers to, without a value: versions are added out of band, so that no
# value is in the state. Whoever reads one is granted that in the file of the function that reads it.

locals {
  snowflake_secrets = { loader = "snowflake-loader-key", transformer = "snowflake-transformer-key" }

  # of continuous integration: Slim CI's user, and the one that Terraform itself signs in as
  ci_secrets = var.ci == null ? [] : ["snowflake-ci-key", "snowflake-terraform-key"]

  secrets = setunion(keys(local.credentials), local.webhook_secrets, values(local.snowflake_secrets), local.ci_secrets)
}

resource "google_secret_manager_secret" "this" {
  for_each = local.secrets

  secret_id = each.key
  labels    = { source = each.key }

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [time_sleep.apis]
}
