"""The predictor: FastAPI through Mangum; answers, and logs every row first."""
