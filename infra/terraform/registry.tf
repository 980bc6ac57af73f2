# The registry, as the code reads it: `sources` one by one, and `entities` times `instances`.
# A source's values are the file's defaults, then the entity's, then the instance's (or the source's own block).

locals {
  repository = "${path.module}/../.."
  registry   = coalesce(var.registry, "${local.repository}/shared/registry")

  registry_files = {
    for file in fileset(local.registry, "*.yaml") : file => yamldecode(file("${local.registry}/${file}"))
  }

  pipelines = merge([for document in values(local.registry_files) : try(document.pipelines, {})]...)

  stated_sources = merge([
    for document in values(local.registry_files) : {
      for name, block in try(document.sources, {}) : name => merge(
        { family = try(document.family, null) }, try(document.defaults, {}), block,
      )
    }
  ]...)

  paired_sources = merge([
    for document in values(local.registry_files) : {
      for pair in setproduct(keys(try(document.entities, {})), keys(try(document.instances, {}))) :
      join("_", [
        merge(try(document.defaults, {}), document.entities[pair[0]], document.instances[pair[1]]).domain, pair[1], pair[0],
        ]) => merge(
        { family = try(document.family, null) },
        try(document.defaults, {}), document.entities[pair[0]], document.instances[pair[1]],
        { slug = "${document.entities[pair[0]].slug}-${document.instances[pair[1]].slug}" },
      )
    }
  ]...)

  # what the infrastructure needs of a source
  sources = {
    for name, source in merge(local.stated_sources, local.paired_sources) : name => {
      slug           = source.slug
      pipeline       = source.pipeline
      cron           = local.pipelines[source.pipeline].cron
      secret         = source.secret
      family         = source.family
      enabled        = try(source.enabled, true)
      reads_spool    = source.cursor == "existence"
      webhook_secret = try(source.settings.webhook_secret, null)
    }
  }

  # one function, account and secret a credential
  credentials = {
    for secret in toset([for source in local.sources : source.secret]) : secret => {
      sources     = [for name, source in local.sources : name if source.secret == secret]
      reads_spool = anytrue([for source in local.sources : source.reads_spool if source.secret == secret])
      # an account's name takes 30 characters
      name = (
        length("extract-${secret}") <= 30 ? "extract-${secret}" : "extract-${substr(secret, 0, 15)}-${substr(sha256(secret), 0, 6)}"
      )
    }
  }

  webhook_secrets = toset([for source in local.sources : source.webhook_secret if source.webhook_secret != null])

  labels = { app = "operational-performance", env = var.environment, owner = var.owner }
}
