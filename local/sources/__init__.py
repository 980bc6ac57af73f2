"""Doubles of the source APIs: they answer as the vendors do, from archives, at an instant of our choice."""
