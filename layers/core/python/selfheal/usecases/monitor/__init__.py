"""Look at the last hours, judge them, write it down, and act on it."""
