# One page that tells how the platform is.

locals {
  dashboard_tiles = concat(
    [
      for name, alert in local.log_alerts : {
        title  = alert.title
        filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.this[name].name}\""
        align  = "ALIGN_DELTA"
        reduce = "REDUCE_SUM"
        group  = ["metric.label.source"]
      }
    ],
    [
      {
        title  = "Oldest unacknowledged message (s)"
        filter = "resource.type=\"pubsub_subscription\" metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        align  = "ALIGN_MAX"
        reduce = "REDUCE_MAX"
        group  = ["resource.label.subscription_id"]
      },
      {
        title  = "Dead letters"
        filter = "resource.type=\"pubsub_subscription\" resource.label.subscription_id=monitoring.regex.full_match(\".*-dead\") metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
        align  = "ALIGN_MAX"
        reduce = "REDUCE_MAX"
        group  = ["resource.label.subscription_id"]
      },
      {
        title  = "Requests by function and answer"
        filter = "resource.type=\"cloud_run_revision\" metric.type=\"run.googleapis.com/request_count\""
        align  = "ALIGN_DELTA"
        reduce = "REDUCE_SUM"
        group  = ["resource.label.service_name", "metric.label.response_code_class"]
      },
      {
        title  = "Executions of the dbt job"
        filter = "resource.type=\"cloud_run_job\" metric.type=\"run.googleapis.com/job/completed_execution_count\""
        align  = "ALIGN_DELTA"
        reduce = "REDUCE_SUM"
        group  = ["metric.label.result"]
      },
      {
        title  = "Bytes by bucket"
        filter = "resource.type=\"gcs_bucket\" metric.type=\"storage.googleapis.com/storage/v2/total_bytes\""
        align  = "ALIGN_MEAN"
        reduce = "REDUCE_SUM"
        group  = ["resource.label.bucket_name"]
      },
    ],
  )
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = jsonencode({
    displayName = "Operational performance (${var.environment})"
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, tile in local.dashboard_tiles : {
          xPos   = 4 * (index % 3)
          yPos   = 4 * floor(index / 3)
          width  = 4
          height = 4
          widget = {
            title = tile.title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = tile.filter
                    aggregation = {
                      alignmentPeriod    = "300s"
                      perSeriesAligner   = tile.align
                      crossSeriesReducer = tile.reduce
                      groupByFields      = tile.group
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })

  depends_on = [time_sleep.apis]
}
