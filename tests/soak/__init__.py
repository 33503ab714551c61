"""A day of a whole service in the local cloud while things go wrong at random: `make soak`."""
