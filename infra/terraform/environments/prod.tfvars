# Production: terraform apply -var-file=environments/prod.tfvars
project     = "example-opp-prod"
region      = "europe-west1"
environment = "prod"
owner       = "data-platform"

operators = ["group:data-platform@example.com"]

alerts = {
  emails         = ["data-platform@example.com"]
  slack_channels = ["#data-platform-alerts"]
}

budget = {
  billing_account = "0123AB-4567CD-89EF01"
  amount          = 300
  currency        = "EUR"
}

ci = {
  repository = "example-org/operational-performance-platform"
}

kms_key = "projects/example-keys/locations/europe-west1/keyRings/data/cryptoKeys/buckets"

snowflake = {
  organization           = "EXAMPLEORG"
  account                = "PROD"
  monthly_credits        = 100
  loader_public_key      = <<-KEY
    -----BEGIN PUBLIC KEY-----
    REPLACE+WITH+THE+LOADERS+PUBLIC+KEY
    -----END PUBLIC KEY-----
  KEY
  transformer_public_key = <<-KEY
    -----BEGIN PUBLIC KEY-----
    REPLACE+WITH+THE+TRANSFORMERS+PUBLIC+KEY
    -----END PUBLIC KEY-----
  KEY
  reader_public_key      = <<-KEY
    -----BEGIN PUBLIC KEY-----
    REPLACE+WITH+THE+READERS+PUBLIC+KEY
    -----END PUBLIC KEY-----
  KEY
}
