"""Development only: emulators and stand-ins that real clients talk to. Never deployed."""
