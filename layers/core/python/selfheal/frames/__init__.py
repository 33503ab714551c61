"""The same judgements for notebooks and scripts: data frames in, typed results out. See `selfheal`."""
