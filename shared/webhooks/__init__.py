"""Signed webhooks: who may send, what is kept, and what the sender is told."""
