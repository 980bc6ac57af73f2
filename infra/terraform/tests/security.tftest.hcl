# What must hold of the platform, whatever the registry holds.

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
  operators   = ["group:data@example.com"]
  kms_key     = "projects/k/locations/europe-west1/keyRings/r/cryptoKeys/c"
  ci          = { repository = "example-org/platform" }
  budget      = { billing_account = "0123AB-4567CD-89EF01", amount = 100, currency = "EUR" }
  alerts      = { emails = ["data@example.com"], slack_channels = ["#data"] }
  snowflake = {
    organization           = "EXAMPLEORG"
    account                = "TEST"
    loader_public_key      = "-----BEGIN PUBLIC KEY-----\nTE9B\nREVS\n-----END PUBLIC KEY-----\n"
    transformer_public_key = "-----BEGIN PUBLIC KEY-----\nVFJB\n-----END PUBLIC KEY-----\n"
    reader_public_key      = "-----BEGIN PUBLIC KEY-----\nUkVB\n-----END PUBLIC KEY-----\n"
  }
}

run "platform" {
  command = apply

  # every subscription and its dead letters
  assert {
    condition = alltrue([
      for topic in concat(values(module.extract_topic), [module.landed_topic, module.sweep_topic]) :
      topic.dead_letters.named && topic.dead_letters.of_topic && topic.dead_letters.agent && topic.dead_letters.attempts == 20
    ])
    error_message = "A subscription without a dead-letter topic, one without a subscription, or an agent that may not forward."
  }
  assert {
    condition = alltrue([
      for topic in concat(values(module.extract_topic), [module.landed_topic, module.sweep_topic]) :
      topic.dead_letters.expires == "" && topic.subscription.expires == "" && topic.subscription.ack_deadline == 600
      && topic.subscription.backoff.minimum_backoff == "10s" && topic.subscription.backoff.maximum_backoff == "600s"
    ])
    error_message = "A subscription that expires, or one that is not tried again as it should be."
  }
  assert {
    condition = alltrue([
      for topic in concat(values(module.extract_topic), [module.landed_topic, module.sweep_topic]) :
      topic.subscription.account == google_service_account.push.email && topic.subscription.audience != ""
      && topic.subscription.endpoint == "${topic.subscription.audience}/projects/${var.project}/topics/${topic.name}"
    ])
    error_message = "A push without a signature, an explicit audience, or the path that the functions framework reads."
  }

  # every function its own account, none of them open but the webhook
  assert {
    condition = length(distinct(concat(
      [for function in concat(values(module.extract), [module.load, module.sweep, module.webhook]) : function.account_id],
      [google_service_account.dbt.account_id, google_service_account.push.account_id, google_service_account.builder.account_id],
      [google_service_account.ci[var.ci.repository].account_id],
    ))) == length(module.extract) + 7
    error_message = "Two of the platform's parts share an account."
  }
  assert {
    condition = alltrue([
      for function in concat(values(module.extract), [module.load, module.sweep]) :
      function.invokers == toset([google_service_account.push.member]) && function.ingress == "ALLOW_INTERNAL_ONLY"
    ])
    error_message = "Something else than Pub/Sub may call a function."
  }
  assert {
    condition     = module.webhook.invokers == toset(["allUsers"]) && module.webhook.ingress == "ALLOW_ALL"
    error_message = "The webhook must be callable: it checks signatures itself."
  }
  assert {
    condition     = alltrue([for function in concat(values(module.extract), [module.load, module.sweep]) : function.limits.seconds == 540])
    error_message = "A function's time must end before the push request's 600 s."
  }

  # what a function may touch
  assert {
    condition     = alltrue([for secret, function in module.extract : function.access.secrets == tolist([secret]) && function.limits.instances == 1])
    error_message = "An extract function reads another secret than its own, or its rate limit would be used twice."
  }
  assert {
    condition = alltrue(flatten([
      for function in values(module.extract) : [
        !contains(function.access.buckets, "landing/roles/storage.objectUser"), !contains(function.access.buckets, "landing/roles/storage.objectAdmin"),
      ]
    ]))
    error_message = "An extract function could replace what landed."
  }
  assert {
    condition     = module.webhook.access.buckets == tolist(["spool/roles/storage.objectCreator", "spool/roles/storage.objectViewer"])
    error_message = "The webhook may do more than add events to the spool."
  }
  assert {
    condition     = module.load.access.secrets == tolist(["snowflake-loader-key"]) && length(module.sweep.access.secrets) == 0
    error_message = "The loader reads its own key only, and the sweep none."
  }
  assert {
    condition = alltrue([
      for grant in [google_cloud_run_v2_job_iam_member.load, google_cloud_run_v2_job_iam_member.sweep] : grant.role == "roles/run.invoker"
    ])
    error_message = "Starting the job without overrides needs the invoker's role and no more."
  }

  # buckets
  assert {
    condition = toset(keys(google_storage_bucket.this)) == toset(["landing", "state", "spool", "quarantine", "artifacts"]) && alltrue([
      for bucket in google_storage_bucket.this :
      bucket.uniform_bucket_level_access && bucket.public_access_prevention == "enforced" && bucket.encryption[0].default_kms_key_name == var.kms_key
    ])
    error_message = "A bucket that could be public, with rights by object, or with another key."
  }
  assert {
    condition     = google_storage_bucket.this["state"].versioning[0].enabled
    error_message = "State that was overwritten could not be restored."
  }
  assert {
    condition     = alltrue([for rule in google_storage_bucket.this["spool"].lifecycle_rule : alltrue([for action in rule.action : action.type != "Delete"])])
    error_message = "Events that were not drained yet would be deleted by age."
  }
  assert {
    condition = alltrue(flatten([
      for rule in google_storage_bucket.this["state"].lifecycle_rule : [
        for condition in rule.condition : length(condition.matches_prefix == null ? [] : condition.matches_prefix) > 0
      ] if anytrue([for action in rule.action : action.type == "Delete"]) && anytrue([for condition in rule.condition : condition.with_state != "ARCHIVED"])
    ]))
    error_message = "State in force (watermarks, windows, requests) would be deleted by age."
  }
  assert {
    condition = (
      google_storage_notification.landed.object_name_prefix == "landing/" && google_storage_notification.landed.payload_format == "JSON_API_V1"
      && toset(google_storage_notification.landed.event_types) == toset(["OBJECT_FINALIZE"]) && contains(module.landed_topic.publishers, "storage")
    )
    error_message = "Landed objects would not be told, or others would."
  }

  # secrets
  assert {
    condition = toset(keys(google_secret_manager_secret.this)) == toset(concat(
      [for source in local.sources : source.secret], [for source in local.sources : source.webhook_secret if source.webhook_secret != null],
      ["snowflake-loader-key", "snowflake-transformer-key", "snowflake-ci-key", "snowflake-terraform-key"],
    ))
    error_message = "A secret reference without a secret, or the reverse."
  }

  # the dbt job
  assert {
    condition     = google_cloud_run_v2_job.dbt.template[0].template[0].max_retries == 0 && google_cloud_run_v2_job.dbt.template[0].task_count == 1
    error_message = "Two runs of dbt at a time would double snapshots."
  }
  assert {
    condition     = google_cloud_run_v2_job.dbt.template[0].template[0].service_account == google_service_account.dbt.email
    error_message = "The job must run as its own account."
  }

  # Snowflake
  assert {
    condition = (
      snowflake_stage.landing.url == "gcs://example-opp-test-landing/landing/"
      && snowflake_storage_integration.landing.storage_allowed_locations == tolist([snowflake_stage.landing.url])
    )
    error_message = "The stage, or the integration, reaches beyond the landing prefix."
  }
  assert {
    condition     = google_storage_bucket_iam_member.snowflake.member == "serviceAccount:${snowflake_storage_integration.landing.storage_gcp_service_account}"
    error_message = "Snowflake's own account must be granted in the same apply."
  }
  assert {
    condition = alltrue([
      for permission in google_project_iam_custom_role.snowflake.permissions : contains(["storage.buckets.get", "storage.objects.get", "storage.objects.list"], permission)
    ])
    error_message = "Snowflake may do more than read."
  }
  assert {
    condition     = alltrue([for warehouse in snowflake_warehouse.this : warehouse.auto_suspend == 60 && warehouse.resource_monitor == "OPERATIONAL_PERFORMANCE"])
    error_message = "A warehouse that does not sleep, or that nobody watches."
  }
  assert {
    condition = (
      snowflake_service_user.this["LOADER"].rsa_public_key == "TE9BREVS" && snowflake_service_user.this["LOADER"].rsa_public_key_2 == null
      && alltrue([for user in snowflake_service_user.this : user.default_secondary_roles_option == "NONE"])
    )
    error_message = "A key must be given without its PEM lines, and a user must act in its own role alone."
  }
  assert {
    condition = alltrue([
      for name, grant in merge(local.schema_grants, local.database_grants) : grant.role != "READER" || toset(grant.privileges) == toset(["USAGE"])
    ])
    error_message = "The reader may do more than read."
  }
  assert {
    condition = (
      alltrue([for name, grant in local.schema_grants : grant.role != "CI" || toset(grant.privileges) == toset(["USAGE"])])
      && alltrue([for grant in snowflake_grant_privileges_to_account_role.reads : toset(grant.privileges) == toset(["SELECT"])])
      && toset(local.database_grants["CI_RAW"].privileges) == toset(["USAGE"])
    )
    error_message = "Slim CI may write elsewhere than in schemas of its own."
  }
  assert {
    condition     = toset(keys(google_secret_manager_secret_iam_member.ci)) == toset(["snowflake-ci-key", "snowflake-terraform-key"])
    error_message = "Continuous integration reads another secret than its two."
  }

  # what is deployed
  assert {
    condition = alltrue([
      for function in local.functions : alltrue([
        for name in ["main.py", "requirements.txt", "shared/settings.py", "shared/registry/pipelines.yaml"] : contains(keys(local.archives[function]), name)
      ]) && google_storage_bucket_object.function[function].name == "functions/${function}-${local.archive_digests[function]}.zip"
    ])
    error_message = "An archive lacks its entry point, the shared code or the registry, or is not named for its content."
  }
  assert {
    condition     = alltrue(flatten([for archive, files in local.archives : [for name in keys(files) : !strcontains(name, "__pycache__") && !startswith(name, "tests/") && !startswith(name, "local/")]]))
    error_message = "Something is deployed that is for development only."
  }
  assert {
    condition     = alltrue([for build in values(local.builds) : build.service_account == google_service_account.builder.name])
    error_message = "A build runs as another account than the builder's."
  }

  # alerts
  assert {
    condition     = local.log_filters["dbt_failed"] == "resource.type=(\"cloud_run_revision\" OR \"cloud_run_job\") AND jsonPayload.event=(\"run.finished\") AND jsonPayload.status=(\"failed\" OR \"blocked\") AND jsonPayload.step=(\"transform\")"
    error_message = "A filter would not match its log line."
  }
  assert {
    condition = alltrue([
      for policy in concat(values(google_monitoring_alert_policy.log), values(google_monitoring_alert_policy.threshold), [google_monitoring_alert_policy.sweep_absent]) :
      length(policy.notification_channels) == 2
    ])
    error_message = "An alert that nobody hears."
  }

  # nobody from elsewhere signs in
  assert {
    condition     = google_iam_workload_identity_pool_provider.ci[var.ci.repository].attribute_condition == "assertion.repository == \"example-org/platform\" && assertion.ref == \"refs/heads/main\""
    error_message = "Any repository could sign in."
  }
}

# all of it optional
run "without_extras" {
  command = plan

  variables {
    operators = []
    kms_key   = null
    ci        = null
    budget    = null
    alerts    = {}
  }

  assert {
    condition = (
      length(google_iam_workload_identity_pool.ci) == 0 && length(google_secret_manager_secret_iam_member.ci) == 0 && !contains(keys(snowflake_service_user.this), "CI") && length(google_billing_budget.month) == 0 && length(google_kms_crypto_key_iam_member.storage) == 0
      && length(google_storage_bucket_iam_member.operator) == 0 && alltrue([for bucket in google_storage_bucket.this : length(bucket.encryption) == 0])
    )
    error_message = "Something optional is there all the same."
  }
}
