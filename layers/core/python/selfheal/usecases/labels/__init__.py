"""Take in what turned out to be true, and join it with what was predicted."""
