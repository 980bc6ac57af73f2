"""Windows: what a pipeline covers at a time, when it is complete, and what follows from that."""
