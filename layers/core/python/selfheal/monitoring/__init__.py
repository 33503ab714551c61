"""What a monitoring run concludes from traffic, data quality, drift and performance, and what it says of it."""
