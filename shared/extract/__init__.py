"""Extract: one source's window from its API into Parquet parts in the landing bucket."""
