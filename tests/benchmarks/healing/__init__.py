"""Whether healing pays: histories replayed under every policy, and the bars that the project has set itself."""
