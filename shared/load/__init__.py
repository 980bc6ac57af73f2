"""Load: a landed Parquet part into its RAW table, once, and what follows for its window."""
