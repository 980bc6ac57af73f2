"""A local stand-in for Snowflake: fakesnow on DuckDB files, with its gaps closed.

The real snowflake-connector-python and dbt-snowflake talk to it over HTTP. Nothing of fakesnow is replaced at
run time: its connection and cursor are subclassed (`session.py`, `cursor.py`) and its routes are served by
`routes.py`. Each module closes one kind of gap and says which. `docs/local-warehouse.md` lists what stays different.
"""
