"""What several tests need: an incident.io in memory, the platform wired over fakes, and a simulator of bad luck."""
