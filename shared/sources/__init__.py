"""What is odd about each family of sources: its requests, its pages, and how a record becomes a contract's row."""
