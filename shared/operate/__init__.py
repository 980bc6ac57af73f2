"""Operate: what a person asks of a running platform, and tells it to do again."""
