# A topic whose messages are pushed to a function, and what becomes of those that it never takes.
# A message is given up after 20 attempts, 10 s to 10 min apart: some two and a half hours.

resource "google_pubsub_topic" "this" {
  name   = var.name
  labels = var.labels
}

resource "google_pubsub_topic" "dead" {
  name   = "${var.name}-dead"
  labels = var.labels
}

# without a subscription a dead letter would be gone
resource "google_pubsub_subscription" "dead" {
  name                       = "${var.name}-dead"
  topic                      = google_pubsub_topic.dead.id
  labels                     = var.labels
  ack_deadline_seconds       = 600
  message_retention_duration = "2678400s" # the 31 days that Pub/Sub keeps a message at most

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "this" {
  name                       = var.name
  topic                      = google_pubsub_topic.this.id
  labels                     = var.labels
  ack_deadline_seconds       = 600
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }

  push_config {
    # the functions framework reads the topic's name from the path
    push_endpoint = "${var.push.uri}/projects/${var.project}/topics/${var.name}"

    oidc_token {
      service_account_email = var.push.account
      audience              = var.push.uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 20
  }

  # Pub/Sub refuses to forward, without a word, what it may not publish or acknowledge
  depends_on = [google_pubsub_topic_iam_member.agent]
}

resource "google_pubsub_topic_iam_member" "agent" {
  topic  = google_pubsub_topic.dead.id
  role   = "roles/pubsub.publisher"
  member = var.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "agent" {
  subscription = google_pubsub_subscription.this.name
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = var.publishers

  topic  = google_pubsub_topic.this.id
  role   = "roles/pubsub.publisher"
  member = each.value
}

resource "google_pubsub_subscription_iam_member" "undertaker" {
  for_each = var.dead_letter_readers

  subscription = google_pubsub_subscription.dead.name
  role         = "roles/pubsub.subscriber"
  member       = each.value
}
