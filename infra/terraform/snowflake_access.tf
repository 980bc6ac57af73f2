# Who may do what in Snowflake: a role and a service user a job. Users sign in with a key pair and have two places for a
# public key, so that a key is replaced without a pause: put the new one in the free place, switch, take the old one out.

locals {
  # Tables of RAW are made by whoever needs one first, loader or dbt job, and changed by either when a contract gains a
  # column; in Snowflake only a table's owner may do that. So both are members of the one role that owns them.
  roles = {
    RAW_OWNER   = "Owns RAW's tables, whoever made them"
    LOADER      = "Copies and merges what landed into RAW"
    TRANSFORMER = "Builds ANALYTICS from RAW"
    READER      = "Reads the marts"
    CI          = "Builds changes of the dbt project in schemas of its own, beside ANALYTICS' others, which it reads"
  }

  service_users = merge(
    {
      LOADER      = { first = var.snowflake.loader_public_key, second = var.snowflake.loader_second_public_key }
      TRANSFORMER = { first = var.snowflake.transformer_public_key, second = var.snowflake.transformer_second_public_key }
    },
    var.snowflake.reader_public_key == null ? {} : {
      READER = { first = var.snowflake.reader_public_key, second = var.snowflake.reader_second_public_key }
    },
    var.snowflake.ci_public_key == null ? {} : {
      CI = { first = var.snowflake.ci_public_key, second = var.snowflake.ci_second_public_key }
    },
  )

  raw_schema_path = "\"${snowflake_database.raw.name}\".\"${local.raw_schema}\""

  # role, database
  database_grants = {
    RAW_OWNER_RAW         = { role = "RAW_OWNER", database = snowflake_database.raw.name, privileges = ["USAGE"] }
    LOADER_RAW            = { role = "LOADER", database = snowflake_database.raw.name, privileges = ["USAGE"] }
    TRANSFORMER_RAW       = { role = "TRANSFORMER", database = snowflake_database.raw.name, privileges = ["USAGE"] }
    TRANSFORMER_ANALYTICS = { role = "TRANSFORMER", database = snowflake_database.analytics.name, privileges = ["USAGE", "CREATE SCHEMA"] }
    READER_ANALYTICS      = { role = "READER", database = snowflake_database.analytics.name, privileges = ["USAGE"] }
    CI_RAW                = { role = "CI", database = snowflake_database.raw.name, privileges = ["USAGE"] }
    CI_ANALYTICS          = { role = "CI", database = snowflake_database.analytics.name, privileges = ["USAGE", "CREATE SCHEMA"] }
  }

  schema_grants = merge(
    {
      RAW_OWNER_RAW = { role = "RAW_OWNER", schema = local.raw_schema_path, privileges = ["USAGE", "CREATE TABLE"] }
      READER_MARTS  = { role = "READER", schema = snowflake_schema.analytics["MARTS"].fully_qualified_name, privileges = ["USAGE"] }
    },
    {
      for name, schema in snowflake_schema.analytics : "TRANSFORMER_${name}" => {
        role = "TRANSFORMER", schema = schema.fully_qualified_name, privileges = ["USAGE", "CREATE TABLE", "CREATE VIEW"]
      }
    },
    { for name, schema in local.ci_reads : "CI_${name}" => { role = "CI", schema = schema, privileges = ["USAGE"] } },
  )

  ci_reads = merge(
    { RAW = local.raw_schema_path },
    { for name, schema in snowflake_schema.analytics : name => schema.fully_qualified_name },
  )

  # role, schema
  reads = merge(
    { READER_MARTS = { role = "READER", schema = snowflake_schema.analytics["MARTS"].fully_qualified_name } },
    { for name, schema in local.ci_reads : "CI_${name}" => { role = "CI", schema = schema } },
  )

  warehouse_grants = {
    LOADER_SMALL       = { role = "LOADER", warehouse = "ETL_SMALL" }
    TRANSFORMER_SMALL  = { role = "TRANSFORMER", warehouse = "ETL_SMALL" }
    TRANSFORMER_MEDIUM = { role = "TRANSFORMER", warehouse = "ETL_MEDIUM" }
    READER_SMALL       = { role = "READER", warehouse = "ETL_SMALL" }
    CI_SMALL           = { role = "CI", warehouse = "ETL_SMALL" }
    CI_MEDIUM          = { role = "CI", warehouse = "ETL_MEDIUM" }
  }
}

resource "snowflake_account_role" "this" {
  for_each = local.roles
  provider = snowflake.security

  name    = each.key
  comment = each.value
}

resource "snowflake_grant_account_role" "administrators" {
  for_each = local.roles
  provider = snowflake.security

  role_name        = snowflake_account_role.this[each.key].name
  parent_role_name = "SYSADMIN"
}

resource "snowflake_grant_account_role" "raw" {
  for_each = toset(["LOADER", "TRANSFORMER"])
  provider = snowflake.security

  role_name        = snowflake_account_role.this["RAW_OWNER"].name
  parent_role_name = snowflake_account_role.this[each.key].name
}

resource "snowflake_service_user" "this" {
  for_each = local.service_users
  provider = snowflake.security

  name              = "OPP_${each.key}"
  login_name        = "OPP_${each.key}"
  default_role      = snowflake_account_role.this[each.key].name
  default_warehouse = snowflake_warehouse.this["ETL_SMALL"].name
  # its own role alone, whatever else it may be granted one day
  default_secondary_roles_option = "NONE"
  rsa_public_key                 = join("", regexall("[A-Za-z0-9+/=]+", replace(each.value.first, "/-----[A-Z ]+-----/", "")))
  rsa_public_key_2               = each.value.second == null ? null : join("", regexall("[A-Za-z0-9+/=]+", replace(each.value.second, "/-----[A-Z ]+-----/", "")))
}

resource "snowflake_grant_account_role" "users" {
  for_each = local.service_users
  provider = snowflake.security

  role_name = snowflake_account_role.this[each.key].name
  user_name = snowflake_service_user.this[each.key].name
}

resource "snowflake_grant_privileges_to_account_role" "database" {
  for_each = local.database_grants
  provider = snowflake.security

  account_role_name = snowflake_account_role.this[each.value.role].name
  privileges        = each.value.privileges

  on_account_object {
    object_type = "DATABASE"
    object_name = each.value.database
  }
}

resource "snowflake_grant_privileges_to_account_role" "schema" {
  for_each = local.schema_grants
  provider = snowflake.security

  account_role_name = snowflake_account_role.this[each.value.role].name
  privileges        = each.value.privileges

  on_schema {
    schema_name = each.value.schema
  }
}

resource "snowflake_grant_privileges_to_account_role" "warehouse" {
  for_each = local.warehouse_grants
  provider = snowflake.security

  account_role_name = snowflake_account_role.this[each.value.role].name
  privileges        = ["USAGE"]

  on_account_object {
    object_type = "WAREHOUSE"
    object_name = snowflake_warehouse.this[each.value.warehouse].name
  }
}

resource "snowflake_grant_privileges_to_account_role" "stage" {
  provider = snowflake.security

  account_role_name = snowflake_account_role.this["LOADER"].name
  privileges        = ["USAGE"]

  on_schema_object {
    object_type = "STAGE"
    object_name = snowflake_stage.landing.fully_qualified_name
  }
}

resource "snowflake_grant_ownership" "raw_tables" {
  provider = snowflake.security

  account_role_name = snowflake_account_role.this["RAW_OWNER"].name

  on {
    future {
      object_type_plural = "TABLES"
      in_schema          = local.raw_schema_path
    }
  }
}

# dashboards read the marts, CI what a change is built from and leaves as it is: what is there, and what will be
resource "snowflake_grant_privileges_to_account_role" "reads" {
  for_each = {
    for part in setproduct(keys(local.reads), ["TABLES", "VIEWS"], ["all", "future"]) :
    join("_", part) => merge(local.reads[part[0]], { plural = part[1], when = part[2] })
  }
  provider = snowflake.security

  account_role_name = snowflake_account_role.this[each.value.role].name
  privileges        = ["SELECT"]

  on_schema_object {
    dynamic "all" {
      for_each = each.value.when == "all" ? [1] : []
      content {
        object_type_plural = each.value.plural
        in_schema          = each.value.schema
      }
    }
    dynamic "future" {
      for_each = each.value.when == "future" ? [1] : []
      content {
        object_type_plural = each.value.plural
        in_schema          = each.value.schema
      }
    }
  }
}
