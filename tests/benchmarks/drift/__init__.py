"""Error rates, power, speed and estimation error of the monitoring: `make bench-drift`."""
