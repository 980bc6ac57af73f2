# Who is told, and of what. Alerts on the code's own events match log lines (alerts.yaml): an alert on a metric that
# has just been made is refused until the metric has arrived, and a first apply would fail by it.

locals {
  log_alerts = yamldecode(file("${path.module}/alerts.yaml"))

  log_filters = {
    for name, alert in local.log_alerts : name => join(" AND ", concat(
      ["resource.type=(\"cloud_run_revision\" OR \"cloud_run_job\")"],
      ["jsonPayload.event=(${join(" OR ", [for event in alert.events : "\"${event}\""])})"],
      [for field, values in try(alert.where, {}) : "jsonPayload.${field}=(${join(" OR ", [for value in values : "\"${value}\""])})"],
    ))
  }

  channels = concat(
    [for channel in google_monitoring_notification_channel.email : channel.id],
    [for channel in data.google_monitoring_notification_channel.slack : channel.id],
  )

  # built-in metrics: condition_threshold, and how long it must hold
  threshold_alerts = {
    dead_letters = {
      title    = "There are dead letters"
      severity = "ERROR"
      filter   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\".*-dead\") AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner  = "ALIGN_MAX"
      above    = 0
      group_by = ["resource.labels.subscription_id"]
      duration = "0s"
      text     = "Messages that no attempt could settle wait in the subscription. Mend the cause, then replay them: `python -m shared.operate dead-letters`."
    }
    unacknowledged = {
      title    = "Messages wait for more than an hour"
      severity = "WARNING"
      filter   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id!=monitoring.regex.full_match(\".*-dead\") AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aligner  = "ALIGN_MAX"
      above    = 3600
      group_by = ["resource.labels.subscription_id"]
      duration = "0s"
      text     = "A function does not settle its messages: it fails, is overloaded, or a credential's window is long. Its log says which."
    }
    webhook_failing = {
      title    = "The webhook answers with 5xx"
      severity = "ERROR"
      filter   = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${module.webhook.name}\" AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
      aligner  = "ALIGN_DELTA"
      above    = 0
      group_by = ["resource.labels.service_name"]
      duration = "300s"
      text     = "Events are not spooled. The sender tries again for a day, and switches the endpoint off after days of failures. A secret without a version, or storage, is the likely cause."
    }
    dbt_job_failed = {
      title    = "The dbt job ended with an error"
      severity = "ERROR"
      filter   = "resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"${google_cloud_run_v2_job.dbt.name}\" AND metric.type=\"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result=\"failed\""
      aligner  = "ALIGN_DELTA"
      above    = 0
      group_by = ["resource.labels.job_name"]
      duration = "0s"
      text     = "It could not start, ran out of memory or time, or the build failed; in the last case the alert on dbt's own event says more."
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alerts.emails)

  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [time_sleep.apis]
}

# Slack's token is given to Cloud Monitoring in its console, and so is not in the state.
data "google_monitoring_notification_channel" "slack" {
  for_each = toset(var.alerts.slack_channels)

  type   = "slack"
  labels = { channel_name = each.key }

  depends_on = [time_sleep.apis]
}

resource "google_logging_metric" "this" {
  for_each = local.log_alerts

  name        = "opp/${each.key}"
  description = each.value.title
  filter      = local.log_filters[each.key]

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "pipeline"
      value_type  = "STRING"
      description = "The pipeline, where the line names one"
    }
    labels {
      key         = "source"
      value_type  = "STRING"
      description = "The source, where the line names one"
    }
  }

  label_extractors = {
    pipeline = "EXTRACT(jsonPayload.pipeline)"
    source   = "EXTRACT(jsonPayload.source)"
  }

  depends_on = [time_sleep.apis]
}

resource "google_monitoring_alert_policy" "log" {
  for_each = local.log_alerts

  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter = local.log_filters[each.key]
      label_extractors = {
        message  = "EXTRACT(jsonPayload.message)"
        pipeline = "EXTRACT(jsonPayload.pipeline)"
        source   = "EXTRACT(jsonPayload.source)"
        window   = "EXTRACT(jsonPayload.window)"
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "900s"
    }
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.apis]
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.threshold_alerts

  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = each.value.duration

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.aligner == "ALIGN_MAX" ? "REDUCE_MAX" : "REDUCE_SUM"
        group_by_fields      = each.value.group_by
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.apis]
}

# The sweep finds what the rest lost; this finds that the sweep is lost.
resource "google_monitoring_alert_policy" "sweep_absent" {
  display_name          = "The sweep has not run for an hour"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "No request"

    condition_absent {
      filter   = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${module.sweep.name}\" AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"2xx\""
      duration = "3600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "Its schedule is paused, its messages are not delivered, or every run fails. Until it runs, windows do not close at their deadline."
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.apis]
}
