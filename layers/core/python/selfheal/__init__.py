"""A prediction service that keeps itself healthy: all the thinking (pure modules and use cases) and all the storage."""
