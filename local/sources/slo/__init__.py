"""Doubles of two invented SLO monitors, OEBOT and Vantage: the same facts in two shapes."""
