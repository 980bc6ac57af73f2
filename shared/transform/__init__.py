"""Transform: pending dbt requests into marts, one run at a time."""
