"""DESCRIBE TABLE of a table in another database than the session's.

Gap: fakesnow reads the column list of the session's own database, so a table elsewhere seems to have no columns; dbt
describes RAW's tables from a session in ANALYTICS.
"""

from fakesnow.transforms.transforms import SQL_DESCRIBE_TABLE

from local.snowflake.names import QualifiedName

_COLUMN_LIST = "_fs_information_schema._fs_columns"


def describe_elsewhere(name: QualifiedName) -> str:
    """DuckDB SQL with the columns of DESCRIBE TABLE, read from the table's own database."""
    catalog, schema, table = (part.replace("'", "''") for part in (name.database, name.schema, name.name))
    sql: str = SQL_DESCRIBE_TABLE.substitute(catalog=catalog, schema=schema, table=table)
    database = name.database.replace('"', '""')
    return sql.replace(f"FROM {_COLUMN_LIST}", f'FROM "{database}".{_COLUMN_LIST}')
