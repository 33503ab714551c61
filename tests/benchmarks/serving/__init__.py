"""The predictor measured beside its peers, and fuzzed: `make bench-serving`, `make fuzz-api`."""
