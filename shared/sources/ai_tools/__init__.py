"""AI coding tools: daily use by person and model, each tool in its own shape, units and paging."""
