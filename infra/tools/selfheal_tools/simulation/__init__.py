"""Made-up worlds: a seeded credit stream with known risk, and documented drifts for real files."""
