"""What every double of a source API has in common: bodies, faults, quotas, a clock, the control endpoints, a server."""
