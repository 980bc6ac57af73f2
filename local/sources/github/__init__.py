"""A double of GitHub's REST API: pull requests, users and teams of one invented organisation."""
