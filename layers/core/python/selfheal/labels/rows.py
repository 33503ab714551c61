"""One row of labels, by whichever way it came."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UploadedRow:
    """One row as it was uploaded, every cell as text; `fault` says why the row couldn't be read at all."""

    line: int
    prediction_id: str = ""
    id: str = ""
    label: str = ""
    label_timestamp: str = ""
    source: str = ""
    fault: str = ""
