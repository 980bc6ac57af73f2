# One bucket a purpose: whatever was written beside the landing objects would trigger the loader.

locals {
  # What may be deleted by age, by prefix; null: anything. Nothing of the spool ever is: an event that was not drained
  # is an event that would be lost. Of the state only what nobody asks for once the landing objects are gone.
  buckets = {
    landing    = { expiry = { days = var.retention_days.landing, prefixes = null } }
    state      = { expiry = { days = var.retention_days.state, prefixes = ["markers/", "ranges/", "windows/", "listings/", "drained/", "dbt/built/", "attempts/", "sweeps/"] } }
    spool      = { expiry = null }
    quarantine = { expiry = { days = var.retention_days.quarantine, prefixes = null } }
    artifacts  = { expiry = { days = var.retention_days.artifacts, prefixes = ["runs/"] } }
  }
}

resource "google_storage_bucket" "this" {
  for_each = local.buckets

  name                        = "${var.project}-${each.key}"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.environment == "dev"
  labels                      = { source = "all" }

  versioning {
    enabled = each.key == "state"
  }

  # a week to take a deletion back, also that of a drained event
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.expiry[*]
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value.days
        matches_prefix = lifecycle_rule.value.prefixes
        with_state     = "LIVE"
      }
    }
  }

  # former versions of the state: a month to restore from; a lease is rewritten every 30 seconds and worth nothing later
  dynamic "lifecycle_rule" {
    for_each = each.key == "state" ? { "leases/" = 1, "" = 30 } : {}
    content {
      action {
        type = "Delete"
      }
      condition {
        days_since_noncurrent_time = lifecycle_rule.value
        matches_prefix             = lifecycle_rule.key == "" ? null : [lifecycle_rule.key]
        with_state                 = "ARCHIVED"
      }
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  depends_on = [time_sleep.apis, google_kms_crypto_key_iam_member.storage]
}

resource "google_kms_crypto_key_iam_member" "storage" {
  for_each = toset(var.kms_key[*])

  crypto_key_id = each.key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.this.member
}
