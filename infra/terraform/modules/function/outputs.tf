output "access" {
  description = "What the account may touch: buckets with roles, and secrets."
  value = {
    buckets = sort([for key, grant in google_storage_bucket_iam_member.this : key])
    secrets = sort(keys(google_secret_manager_secret_iam_member.this))
  }
}

output "account" {
  description = "The e-mail address of the account that the function runs as."
  value       = google_service_account.this.email
}

output "account_id" {
  description = "The id of the account that the function runs as."
  value       = google_service_account.this.account_id
}

output "environment" {
  description = "The environment variables of the function."
  value       = google_cloudfunctions2_function.this.service_config[0].environment_variables
}

output "ingress" {
  description = "Where requests may come from."
  value       = google_cloudfunctions2_function.this.service_config[0].ingress_settings
}

output "invokers" {
  description = "Who may call the function."
  value       = toset([for grant in google_cloud_run_v2_service_iam_member.invoker : grant.member])
}

output "limits" {
  description = "Instances, requests at a time, and seconds a request may take."
  value = {
    instances   = google_cloudfunctions2_function.this.service_config[0].max_instance_count
    concurrency = google_cloudfunctions2_function.this.service_config[0].max_instance_request_concurrency
    seconds     = google_cloudfunctions2_function.this.service_config[0].timeout_seconds
  }
}

output "member" {
  description = "The account as an IAM member."
  value       = google_service_account.this.member
}

output "name" {
  description = "The function's name, also that of its Cloud Run service."
  value       = google_cloudfunctions2_function.this.name
}

output "uri" {
  description = "The address of the function's Cloud Run service."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
}
