# Values that would fail late, or do harm, are refused at once.

mock_provider "archive" {}
mock_provider "google" {}
mock_provider "google-beta" {}
mock_provider "snowflake" {}
mock_provider "snowflake" {
  alias = "account"
}
mock_provider "snowflake" {
  alias = "security"
}
mock_provider "time" {}

variables {
  project     = "example-opp-test"
  region      = "europe-west1"
  environment = "dev"
  owner       = "data-platform"
  registry    = "./tests/registry"
  snowflake = {
    organization           = "EXAMPLEORG"
    account                = "TEST"
    loader_public_key      = "-----BEGIN PUBLIC KEY-----\nTE9B\n-----END PUBLIC KEY-----\n"
    transformer_public_key = "-----BEGIN PUBLIC KEY-----\nVFJB\n-----END PUBLIC KEY-----\n"
  }
}

run "all_at_once" {
  command = plan

  variables {
    project        = "Example"
    region         = "europe"
    environment    = "qa"
    owner          = "Data Platform"
    operators      = ["allUsers"]
    kms_key        = "a-key"
    load_instances = 21
    ci             = { repository = "example-org/platform", roles = ["roles/owner"] }
    budget         = { billing_account = "mine", amount = 1, currency = "EUR" }
    alerts         = { slack_channels = ["data"] }
    retention_days = { landing = 90, state = 91 }
    snowflake = {
      organization           = "EXAMPLEORG"
      account                = "TEST"
      loader_public_key      = "-----BEGIN PRIVATE KEY-----\nTE9B\n-----END PRIVATE KEY-----\n"
      transformer_public_key = "-----BEGIN PUBLIC KEY-----\nVFJB\n-----END PUBLIC KEY-----\n"
    }
  }

  expect_failures = [
    var.project, var.region, var.environment, var.owner, var.operators, var.kms_key, var.load_instances, var.ci, var.budget, var.alerts,
    var.retention_days, var.snowflake,
  ]
}
