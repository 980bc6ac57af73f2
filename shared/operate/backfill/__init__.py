"""Backfill: a stretch of the past is extracted again, chunk by chunk, beside the live windows."""
