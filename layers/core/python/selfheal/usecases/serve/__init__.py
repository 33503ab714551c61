"""Answer: requests, files of rows, retries, and predictions that the store did not take at first."""
