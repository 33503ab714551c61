"""Fits beside each other, in threads."""

import subprocess
import sys
import threading
import warnings

import numpy as np
from sklearn.preprocessing import QuantileTransformer

from selfheal.training.parallel import in_parallel


def test_what_each_task_came_to_is_in_their_order():
    """However long each takes."""
    first_may_end = threading.Event()

    def task(number: int) -> int:
        first_may_end.wait(10) if number == 0 else first_may_end.set()
        return number * number

    assert in_parallel(task, range(4), at_a_time=2) == [0, 1, 4, 9]


def test_two_threads_that_set_warnings_aside_leave_the_filters_as_they_were():
    """Known answer: the second one enters when the first has none left, and leaves last."""
    before = list(warnings.filters)
    second_is_in, first_is_out = threading.Event(), threading.Event()

    def task(number: int) -> None:
        if number == 0:
            with warnings.catch_warnings():
                warnings.resetwarnings()
                may_enter.set()
                second_is_in.wait(10)
            first_is_out.set()
        else:
            may_enter.wait(10)
            with warnings.catch_warnings():
                second_is_in.set()
                first_is_out.wait(10)

    may_enter = threading.Event()
    in_parallel(task, range(2), at_a_time=2)
    assert list(warnings.filters) == before


def test_what_scikit_learn_says_of_a_fit_is_not_shown():
    """Neither once nor thousands of times, as where threads lose its filters; other warnings are shown as ever."""

    def task(rows: int) -> None:
        QuantileTransformer(n_quantiles=100).fit(np.arange(float(rows))[:, None])
        warnings.warn("something else", UserWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        in_parallel(task, [20, 20], at_a_time=2)
    assert {str(one.message) for one in shown} == {"something else"}


def test_the_command_line_shows_no_warning_of_a_library():
    """What scikit-learn warns of anywhere in a command doesn't reach the screen; a warning of our own does."""
    program = (
        "import contextlib, sys, warnings; from selfheal_tools.cli import main; sys.argv = ['selfheal', '--help']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "for place in ('sklearn.base', 'selfheal.training'):\n"
        "    warnings.warn_explicit(f'of {place}', UserWarning, f'{place}.py', 1, module=place)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "of selfheal.training" in done.stderr
    assert "sklearn" not in done.stderr
