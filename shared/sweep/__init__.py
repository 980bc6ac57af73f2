"""Sweep: finds what events lost, and sets it going again."""
