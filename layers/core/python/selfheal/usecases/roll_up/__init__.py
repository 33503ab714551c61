"""Rolling up a large hour of the log in parts: a plan, its parts side by side, and what is made of them."""
