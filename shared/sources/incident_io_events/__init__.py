"""incident.io by its webhooks: the spooled events, and the current objects that they are about."""
