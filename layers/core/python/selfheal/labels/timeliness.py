"""Predictions that nobody can have asked for when their label was uploaded."""

from datetime import datetime, timedelta

from selfheal.records.predictions import moment_of

# So far may the clock of whoever makes ids be ahead of that of S3.
CLOCK_SKEW = timedelta(minutes=5)
# So long the log of predictions is kept: a label of an older one would wait for ever.
LOG_KEPT = timedelta(days=400)


def untimely(prediction_id: str, uploaded_at: datetime) -> str | None:
    """Why a prediction can't be one of this service's, by the time that its id tells; None where it can.

    Raises ValueError: the text is no prediction's id.
    """
    made = moment_of(prediction_id)
    if made > uploaded_at + CLOCK_SKEW:
        return f"prediction_id is of {made:%Y-%m-%d}, which is later than the upload"
    if made < uploaded_at - LOG_KEPT:
        return f"prediction_id is of {made:%Y-%m-%d}; predictions are kept for {LOG_KEPT.days} days"
    return None
