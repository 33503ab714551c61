"""Trains the shadow model of a healing."""
