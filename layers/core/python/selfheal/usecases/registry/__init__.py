"""Versions, and which of them answers: written, moved into production and back, paused, verified, mirrored."""
