"""The operator's tools: the `selfheal` command and what stands behind it."""
