"""Train another version, wait for labels, judge it, and end the healing with a decision."""
