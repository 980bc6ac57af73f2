"""Doubles of eight AI tools' usage APIs over one invented company: each tool tells its part of what was used."""
