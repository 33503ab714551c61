"""Predictions go on while S3 refuses some of its calls (`make bench-refusals` measures at what rate)."""

from tests.benchmarks.refusals.__main__ import measure


def test_no_answer_is_lost_while_s3_refuses_calls():
    """The deployed code over its own S3 client: each request is answered, and logged or replayable from its log."""
    found = measure(rounds=1, calls=150, share=0.4)
    assert found.answered == 350
    assert 0 < found.replayable < 60
