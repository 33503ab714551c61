"""The promotion function: writes decisions, swaps the production pointer."""
