"""SLO monitors: two shapes of the same facts, objectives and their hours."""
