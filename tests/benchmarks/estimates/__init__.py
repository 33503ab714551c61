"""Performance before labels come, beside the usual ways to estimate it."""
