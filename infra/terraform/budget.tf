# A warning when the month costs what it should not.

data "google_project" "this" {
  depends_on = [time_sleep.apis]
}

resource "google_billing_budget" "month" {
  for_each = { for budget in var.budget[*] : budget.billing_account => budget }

  billing_account = each.key
  display_name    = "${var.project}: a month"

  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }

  amount {
    specified_amount {
      currency_code = each.value.currency
      units         = tostring(floor(each.value.amount))
    }
  }

  threshold_rules {
    threshold_percent = 0.5
  }
  threshold_rules {
    threshold_percent = 0.9
  }
  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  # a budget tells by e-mail only
  dynamic "all_updates_rule" {
    for_each = length(var.alerts.emails) > 0 ? [1] : []
    content {
      monitoring_notification_channels = slice(
        [for channel in google_monitoring_notification_channel.email : channel.id], 0, min(5, length(var.alerts.emails)),
      )
    }
  }
}
