"""The commands of `python -m shared.operate`: each a module with its arguments, and the function that runs it."""
