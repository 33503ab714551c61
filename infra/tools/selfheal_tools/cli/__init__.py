"""`selfheal`: the command line. Each command is a module of its own and imports what is heavy only when it runs."""

import os
import sys
import warnings

from selfheal.errors import SelfhealError
from selfheal.text import bounded_lines
from selfheal_tools.cli.app import app

# A message may name columns, keys and values of a file that somebody else wrote.
LONGEST_MESSAGE = 20_000
# As the functions have it: products of small matrices take forty times as long where threads wait for a busy core.
SINGLE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main() -> None:
    """Entry point; an error that the project raises on purpose is a message and exit code 1, never a traceback.

    What libraries warn their callers of is none of the user's business.
    """
    for variable in SINGLE_THREAD:
        os.environ.setdefault(variable, "1")
    warnings.filterwarnings("ignore", module=r"(sklearn|scipy|joblib|pandas)\.")
    try:
        app()
    except SelfhealError as error:
        sys.stderr.write(f"selfheal: {bounded_lines(str(error), LONGEST_MESSAGE)}\n")
        sys.exit(1)
