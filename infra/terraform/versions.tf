terraform {
  required_version = ">= 1.9"

  required_providers {
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = "~> 6.50"
    }
    snowflake = {
      source  = "snowflakedb/snowflake"
      version = "~> 2.11.0"
    }
    time = {
      source  = "hashicorp/time"
      version = "~> 0.13"
    }
  }
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = local.labels
  # the budget API wants a project to charge its quota to, also for a person's own credentials
  billing_project       = var.project
  user_project_override = true
}

provider "google-beta" {
  project               = var.project
  region                = var.region
  billing_project       = var.project
  user_project_override = true
}

# Who signs in: SNOWFLAKE_USER, SNOWFLAKE_AUTHENTICATOR=SNOWFLAKE_JWT and SNOWFLAKE_PRIVATE_KEY in the environment, so
# that no credential is in a file or in the state. That user has the three roles below.
provider "snowflake" {
  organization_name = var.snowflake.organization
  account_name      = var.snowflake.account
  role              = "SYSADMIN"

  preview_features_enabled = ["snowflake_file_format_resource", "snowflake_stage_resource"]
}

# users, roles and who may do what
provider "snowflake" {
  alias             = "security"
  organization_name = var.snowflake.organization
  account_name      = var.snowflake.account
  role              = "SECURITYADMIN"
}

# what only an account's administrator may do: integrations, resource monitors and the warehouses they watch
provider "snowflake" {
  alias             = "account"
  organization_name = var.snowflake.organization
  account_name      = var.snowflake.account
  role              = "ACCOUNTADMIN"

  preview_features_enabled = ["snowflake_storage_integration_resource"]
}
