"""What the predictor's process loads."""

import os
import subprocess
import sys

HEAVY = {"pandas", "sklearn", "scipy", "joblib", "pyarrow", "numpy", "boto3", "aws_lambda_powertools", "jinja2"}


def test_the_predictor_loads_nothing_that_it_doesn_t_need():
    """Importing the entry point brings in no data science, no SDK, no toolkit: a cold start pays for each."""
    code = "import sys, predictor.handler; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    loaded = {name.split(".")[0] for name in found.stdout.split()}
    assert not loaded & HEAVY
    assert "fastapi" in loaded
