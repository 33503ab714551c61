"""Trainers as users write them: `[model] trainer = "example_trainers.boosting:lightgbm"`."""
