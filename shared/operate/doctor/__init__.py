"""Doctor: what is missing for the platform to run, and the command that mends it."""
