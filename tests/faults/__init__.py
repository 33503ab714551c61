"""A whole life in memory, and what comes of it when any call fails, any process dies, and all comes at once."""
