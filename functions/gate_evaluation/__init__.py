"""Scores production and shadow on the same rows and judges the gates."""
