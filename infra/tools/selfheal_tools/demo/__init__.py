"""The demo: the whole loop on this machine, from a first model over drift to a healed one."""
