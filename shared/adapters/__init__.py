"""The outside world: the only imports of vendors' clients, and the in-memory fakes that ship with them."""
