"""What the platform costs: CPU seconds, peak memory and growth, measured in processes of their own."""
