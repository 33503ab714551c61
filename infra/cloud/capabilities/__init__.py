"""What the service can do, a construct each."""
