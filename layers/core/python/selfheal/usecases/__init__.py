"""One module for each thing that the system does; each takes stores, a moment and settings as arguments."""
