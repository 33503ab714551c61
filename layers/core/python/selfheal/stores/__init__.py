"""Everything that is kept outside the process: S3, and the two services that the loop calls. boto3 lives only here."""
