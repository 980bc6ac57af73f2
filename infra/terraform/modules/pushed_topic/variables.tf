variable "dead_letter_readers" {
  description = "IAM members who may read and acknowledge dead letters, by a name of their own."
  type        = map(string)
}

variable "labels" {
  description = "Labels of topics and subscriptions."
  type        = map(string)
}

variable "name" {
  description = "The topic's name, and its subscription's."
  type        = string
}

variable "project" {
  description = "The project, for the path that messages are pushed to."
  type        = string
}

variable "publishers" {
  description = "IAM members who may publish, by a name of their own."
  type        = map(string)
}

variable "pubsub_agent" {
  description = "Pub/Sub's own agent as an IAM member: it forwards dead letters."
  type        = string
}

variable "push" {
  description = "The function's address, and the account that requests are signed as."
  type        = object({ uri = string, account = string })
}
