"""What predictions lose while S3 refuses some of the predictor's calls."""
