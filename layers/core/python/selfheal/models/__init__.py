"""Models: what answers rows, how rows become one, and how a fitted one is written down as data."""
