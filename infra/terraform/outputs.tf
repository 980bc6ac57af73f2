output "ci" {
  description = "What a workflow names to sign in: the identity provider and the account; null without continuous integration."
  value = try({
    provider = google_iam_workload_identity_pool_provider.ci[var.ci.repository].name
    account  = google_service_account.ci[var.ci.repository].email
  }, null)
}

output "environment" {
  description = "The OPP_* variables by which the operator's commands reach this environment: `export` each."
  value       = local.environment
}

output "secrets" {
  description = "Secrets that need a version; the values are added by hand, never by Terraform."
  value       = sort([for secret in google_secret_manager_secret.this : secret.secret_id])
}

output "snowflake" {
  description = "Snowflake's account at Google, which reads the landing bucket, and the stage's address."
  value = {
    storage_account = snowflake_storage_integration.landing.storage_gcp_service_account
    stage           = snowflake_stage.landing.url
  }
}

output "sources" {
  description = "What every source of the registry has: its topic, function and schedule."
  value = {
    for name, source in local.sources : name => {
      topic        = module.extract_topic[name].name
      subscription = module.extract_topic[name].subscription.name
      function     = module.extract[source.secret].name
      secret       = source.secret
      schedule     = google_cloud_scheduler_job.extract[name].schedule
      paused       = google_cloud_scheduler_job.extract[name].paused
    }
  }
}

output "webhook" {
  description = "Where a workspace's webhooks go; put the workspace's name at the end."
  value       = "${module.webhook.uri}/incident-io/"
}
