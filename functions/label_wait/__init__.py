"""Looks whether enough true labels have arrived for the gates."""
