output "dead_letters" {
  description = "Where given up messages go, who waits there for how long, and whether that subscription ever expires."
  value = {
    topic        = google_pubsub_topic.dead.name
    subscription = google_pubsub_subscription.dead.name
    of_topic     = google_pubsub_subscription.dead.topic == google_pubsub_topic.dead.id
    named        = google_pubsub_subscription.this.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead.id
    attempts     = google_pubsub_subscription.this.dead_letter_policy[0].max_delivery_attempts
    expires      = google_pubsub_subscription.dead.expiration_policy[0].ttl
    readers      = sort(keys(google_pubsub_subscription_iam_member.undertaker))
    agent        = google_pubsub_topic_iam_member.agent.role == "roles/pubsub.publisher" && google_pubsub_subscription_iam_member.agent.role == "roles/pubsub.subscriber"
  }
}

output "id" {
  description = "The topic's id."
  value       = google_pubsub_topic.this.id
}

output "name" {
  description = "The topic's name."
  value       = google_pubsub_topic.this.name
}

output "publishers" {
  description = "Who may publish."
  value       = sort(keys(google_pubsub_topic_iam_member.publisher))
}

output "subscription" {
  description = "How messages are delivered."
  value = {
    name         = google_pubsub_subscription.this.name
    expires      = google_pubsub_subscription.this.expiration_policy[0].ttl
    ack_deadline = google_pubsub_subscription.this.ack_deadline_seconds
    backoff      = google_pubsub_subscription.this.retry_policy[0]
    endpoint     = google_pubsub_subscription.this.push_config[0].push_endpoint
    audience     = google_pubsub_subscription.this.push_config[0].oidc_token[0].audience
    account      = google_pubsub_subscription.this.push_config[0].oidc_token[0].service_account_email
  }
}
