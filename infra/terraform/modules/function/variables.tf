variable "buckets" {
  description = "What the account may do in which bucket, by purpose."
  type        = map(object({ bucket = string, roles = set(string) }))
  default     = {}
}

variable "build" {
  description = "Where the source archive is, who builds it, and where the image goes."
  type        = object({ bucket = string, object = string, repository = string, service_account = string })
}

variable "concurrency" {
  description = "How many requests one instance handles at a time."
  type        = number
  default     = 1
}

variable "cpu" {
  description = "CPUs of an instance."
  type        = string
  default     = "1"
}

variable "description" {
  description = "What the function does."
  type        = string
}

variable "entry_point" {
  description = "The Python function in main.py."
  type        = string
}

variable "environment" {
  description = "Environment variables; never a secret."
  type        = map(string)
}

variable "invokers" {
  description = "IAM members who may call the function, by a name of their own."
  type        = map(string)
  default     = {}
}

variable "labels" {
  description = "Labels of the function."
  type        = map(string)
}

variable "max_instances" {
  description = "How many instances there may be."
  type        = number
}

variable "memory" {
  description = "Memory of an instance."
  type        = string
}

variable "name" {
  description = "The name of the function, and of its account."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "A service account's id takes up to 30 lower-case letters, digits and -."
  }
}

variable "public" {
  description = "Whether requests may come from the internet; all others come from this project's Pub/Sub."
  type        = bool
  default     = false
}

variable "region" {
  description = "Where the function runs."
  type        = string
}

variable "secrets" {
  description = "Ids of the secrets that the account may read, by reference."
  type        = map(string)
  default     = {}
}

variable "timeout_seconds" {
  description = "How long a request may take; a push request is given up after 600 s."
  type        = number
  default     = 540
}
