variable "alerts" {
  description = "Who is told: e-mail addresses, and Slack channels that Cloud Monitoring has been connected to (their names with the #)."
  type = object({
    emails         = optional(list(string), [])
    slack_channels = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = alltrue([for address in var.alerts.emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "alerts.emails holds something that is no e-mail address."
  }
  validation {
    condition     = alltrue([for channel in var.alerts.slack_channels : startswith(channel, "#")])
    error_message = "alerts.slack_channels are named as Slack shows them: #operations."
  }
}

variable "budget" {
  description = "A monthly budget of this project and when to warn; null for none. The deployer needs roles/billing.costsManager on the billing account."
  type = object({
    billing_account = string
    amount          = number
    currency        = string
  })
  default = null

  validation {
    condition     = var.budget == null || try(var.budget.amount > 0 && can(regex("^[0-9A-F]{6}(-[0-9A-F]{6}){2}$", var.budget.billing_account)), false)
    error_message = "budget needs an amount above 0 and a billing account like 0123AB-4567CD-89EF01."
  }
}

variable "ci" {
  description = "The GitHub repository whose workflows sign in without a key, the ref that they must run for, and their roles in the project beside reading dbt's artifacts; null for none."
  type = object({
    repository = string
    ref        = optional(string, "refs/heads/main")
    roles      = optional(set(string), [])
  })
  default = null

  validation {
    condition     = var.ci == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.ci.repository))
    error_message = "ci.repository is written owner/name."
  }
  validation {
    condition     = length(setintersection(try(var.ci.roles, []), ["roles/owner", "roles/editor", "roles/viewer"])) == 0
    error_message = "ci.roles must not hold the primitive roles owner, editor and viewer."
  }
}

variable "environment" {
  description = "What this project is for; it stands in labels, and only prod is protected from deletion."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "kms_key" {
  description = "A Cloud KMS key (projects/…/cryptoKeys/…, in the region) that encrypts the buckets; null for Google's own keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key is written projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }
}

variable "load_instances" {
  description = "How many loads may run at the same time. Snowflake aborts the statement that would be the 21st to wait for a table."
  type        = number
  default     = 8

  validation {
    condition     = var.load_instances >= 1 && var.load_instances <= 20
    error_message = "load_instances is 1 to 20."
  }
}

variable "operators" {
  description = "Who runs the operator's commands (status, replay, quarantine, dead letters), as IAM members: group:data@example.com."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.operators : can(regex("^(user|group|serviceAccount):[^@\\s]+@[^@\\s]+$", member))])
    error_message = "operators are written user:…, group:… or serviceAccount:…; never allUsers."
  }
}

variable "owner" {
  description = "The team that answers for this project, for the label owner."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9_-]{1,63}$", var.owner))
    error_message = "owner is a label's value: up to 63 lower-case letters, digits, _ and -."
  }
}

variable "project" {
  description = "The Google Cloud project; one environment is one project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project is a project's id: 6 to 30 lower-case letters, digits and -."
  }
}

variable "region" {
  description = "Where everything is: buckets, functions, topics' schedules and secrets, and best Snowflake's account too."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is a single region like europe-west1."
  }
}

variable "registry" {
  description = "Another folder of registry files than the repository's, to see what it would create."
  type        = string
  default     = null
}

variable "retention_days" {
  description = "How long things are kept. State is kept longer than what landed: the sweep would load again what it finds unmarked."
  type = object({
    landing    = optional(number, 90)
    state      = optional(number, 180)
    quarantine = optional(number, 365)
    artifacts  = optional(number, 90)
  })
  default = {}

  validation {
    condition     = var.retention_days.landing >= 7 && var.retention_days.quarantine >= 7 && var.retention_days.artifacts >= 7
    error_message = "retention_days below a week leaves no time to look at anything."
  }
  validation {
    condition     = var.retention_days.state >= var.retention_days.landing + 30
    error_message = "retention_days.state must exceed retention_days.landing by 30 days at least."
  }
}

variable "snowflake" {
  description = "The Snowflake account, and the service users' public keys (PEM). Each user has two places for a key, so that one can be replaced while the other is in use."
  type = object({
    organization                  = string
    account                       = string
    monthly_credits               = optional(number, 100)
    loader_public_key             = string
    loader_second_public_key      = optional(string)
    transformer_public_key        = string
    transformer_second_public_key = optional(string)
    reader_public_key             = optional(string)
    reader_second_public_key      = optional(string)
    ci_public_key                 = optional(string)
    ci_second_public_key          = optional(string)
  })

  validation {
    condition = alltrue([
      for name, key in var.snowflake : key == null || can(regex("^\\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\\s]+-----END PUBLIC KEY-----\\s*$", key))
      if endswith(name, "_public_key")
    ])
    error_message = "snowflake.*_public_key must be PEM public keys (BEGIN PUBLIC KEY); a private key never belongs here."
  }
  validation {
    condition     = var.snowflake.monthly_credits >= 1
    error_message = "snowflake.monthly_credits is 1 at least."
  }
}

variable "sweep_cron" {
  description = "When the sweep looks for what events lost (UTC). A window past its deadline closes with the next sweep."
  type        = string
  default     = "*/10 * * * *"
}
