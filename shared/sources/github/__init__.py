"""GitHub: an organisation's pull requests, and its people with their teams."""
