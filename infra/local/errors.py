"""What can go wrong in the local cloud, each error with what to look at."""


class LocalCloudError(Exception):
    """Root of the errors below."""


class SynthesisFailed(LocalCloudError):
    """The CDK app didn't synthesise; the message ends with what it printed."""


class FunctionFailed(LocalCloudError):
    """A function answered with an error, didn't start, or ran out of time; the message ends with its log's tail."""

    def __init__(self, function: str, error_type: str, message: str, log_tail: str) -> None:
        self.function = function
        self.error_type = error_type
        self.message = message
        super().__init__(f"{function} failed with {error_type}: {message}\n--- end of its log ---\n{log_tail}")


class NotSettled(LocalCloudError):
    """Something was still running when the time to settle was over; the message says what."""
