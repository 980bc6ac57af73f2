# The registry in, the platform out: every source has all its parts, and a source more changes no other.

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
  snowflake = {
    organization           = "EXAMPLEORG"
    account                = "TEST"
    loader_public_key      = "-----BEGIN PUBLIC KEY-----\nTE9B\n-----END PUBLIC KEY-----\n"
    transformer_public_key = "-----BEGIN PUBLIC KEY-----\nVFJB\n-----END PUBLIC KEY-----\n"
  }
}

# a small registry of both forms; tests/infra holds the same expectation against the code's own reader
run "small" {
  command = apply

  variables {
    registry = "./tests/registry"
  }

  assert {
    condition     = jsonencode(local.sources) == jsonencode(jsondecode(file("./tests/registry/expected.json")))
    error_message = "The registry is read in another way than the code reads it."
  }
  assert {
    condition = alltrue([
      for name, source in local.sources :
      google_cloud_scheduler_job.extract[name].schedule == source.cron && google_cloud_scheduler_job.extract[name].time_zone == "Etc/UTC"
      && google_cloud_scheduler_job.extract[name].paused == !source.enabled
      && google_cloud_scheduler_job.extract[name].pubsub_target[0].attributes.source == name
      && length(google_cloud_scheduler_job.extract[name].pubsub_target[0].data) > 0
      && google_cloud_scheduler_job.extract[name].pubsub_target[0].topic_name == module.extract_topic[name].id
    ])
    error_message = "A source's schedule is not its pipeline's, or its message is empty or another's."
  }
  assert {
    condition = alltrue([
      for name, source in local.sources :
      module.extract_topic[name].name == "extract-${source.slug}" && module.extract_topic[name].subscription.audience == module.extract[source.secret].uri
      && toset(module.extract_topic[name].publishers) == toset(["extract", "scheduler", "sweep"])
      && module.extract_topic[name].dead_letters.readers == tolist(["sweep"])
    ])
    error_message = "A source's topic has another name, another function, or other publishers."
  }
  assert {
    condition = (
      toset(keys(module.extract)) == toset(["incident-io-north", "incident-io-a-workspace-with-a-long-name", "market"])
      && alltrue([for function in module.extract : length(function.name) <= 30 && function.limits.concurrency == 2])
    )
    error_message = "There must be one function a credential, with a name that an account may have."
  }
  assert {
    condition     = toset(module.webhook.access.secrets) == toset(["incident-io-north-webhook", "incident-io-a-workspace-with-a-long-name-webhook"])
    error_message = "The webhook reads the workspaces' webhook secrets and no other."
  }
}

run "grown" {
  command = apply

  variables {
    registry = "./tests/registry_grown"
  }

  assert {
    condition     = setsubtract(keys(output.sources), keys(run.small.sources)) == toset(["incident_io_south_census", "incident_io_south_incidents"])
    error_message = "One workspace more must be its sources more."
  }
  assert {
    condition     = alltrue([for name, parts in run.small.sources : jsonencode(output.sources[name]) == jsonencode(parts)])
    error_message = "A source more has changed another one."
  }
  assert {
    condition     = setsubtract(keys(module.extract), ["incident-io-north", "incident-io-a-workspace-with-a-long-name", "market"]) == toset(["incident-io-south"])
    error_message = "One credential more must be one function more."
  }
}

# the repository's own registry
run "whole" {
  command = apply

  assert {
    condition     = length(local.sources) > 20 && toset(keys(output.sources)) == toset(keys(local.sources))
    error_message = "A source lacks a part."
  }
  assert {
    condition     = alltrue([for function in values(module.extract) : length(function.name) <= 30])
    error_message = "An account's name is too long."
  }
  assert {
    condition = alltrue([
      for secret, credential in local.credentials : credential.reads_spool == contains(module.extract[secret].access.buckets, "spool/roles/storage.objectViewer")
    ])
    error_message = "Whoever drains the spool must be able to read it, and nobody else."
  }
}
