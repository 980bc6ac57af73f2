# A development project: terraform apply -var-file=environments/dev.tfvars
project     = "example-opp-dev"
region      = "europe-west1"
environment = "dev"
owner       = "data-platform"

alerts = {
  emails = ["data-platform@example.com"]
}

retention_days = {
  landing = 30
  state   = 90
}

snowflake = {
  organization    = "EXAMPLEORG"
  account         = "DEV"
  monthly_credits = 20
  # openssl genrsa 2048 | openssl pkcs8 -topk8 -nocrypt -out loader.p8 && openssl rsa -in loader.p8 -pubout
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
}
