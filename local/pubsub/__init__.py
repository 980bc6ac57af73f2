"""A Pub/Sub emulator that the real google-cloud-pubsub client talks to: push first, pull to look at dead letters.

At least once, in no order, kept in SQLite: what was in flight when the process ended is delivered again.

Not emulated: streaming pull, filters (refused at creation), ordered delivery (an ordering key is only passed on),
exactly-once delivery, payload unwrapping, OIDC tokens on pushes, snapshots and seek, schemas, IAM, and the expiry
of messages and subscriptions.
"""
