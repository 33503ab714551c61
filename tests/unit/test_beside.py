"""Fits beside each other, in threads."""

import threading
import warnings

from selfheal.training.beside import beside_each_other

TOLD = "`sklearn.utils.parallel.delayed` should be used with `sklearn.utils.parallel.Parallel`"


def test_what_each_task_came_to_is_in_their_order():
    """However long each takes."""
    first_may_end = threading.Event()

    def task(number: int) -> int:
        first_may_end.wait(10) if number == 0 else first_may_end.set()
        return number * number

    assert beside_each_other(task, range(4), at_a_time=2) == [0, 1, 4, 9]


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
    beside_each_other(task, range(2), at_a_time=2)
    assert list(warnings.filters) == before


def test_what_scikit_learn_says_of_lost_filters_is_not_repeated():
    """A thousand lines of it would bury what matters; other warnings are shown as ever."""

    def task(message: str) -> None:
        warnings.warn(message, UserWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        beside_each_other(task, [TOLD, "something else"], at_a_time=2)
    assert [str(one.message) for one in shown] == ["something else"]
