"""A fake of the Cloud Run jobs endpoint (Admin API v2): a run is a local process.

Emulated: `:run` with overrides, its long-running operation, executions (get, list, cancel), the environment that
Cloud Run sets. Not emulated: creating or changing jobs, retries of tasks (each has one attempt), images, IAM.
"""
