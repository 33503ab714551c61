"""One object as a stream delivers it: some rows of one hour of the credit world, as compressed lines of the log."""

import gzip
import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from folder import FolderBucket

from selfheal.models.native import load_artefact
from selfheal.records.predictions import new_request_id, timestamp_of
from selfheal.stores.collection import Stores
from selfheal.stores.prediction_log import hour_prefix, to_lines
from selfheal_tools.simulation.credit import credit_rows
from tests.support.monitoring import HOUR, VERSION

A_REQUEST = 1000


def main(folder: Path, hour: datetime, rows: int, number: int) -> None:
    data, registry = FolderBucket(folder / "data"), FolderBucket(folder / "registry")
    stores = Stores(data, registry)
    model = load_artefact(stores.models.artefact(stores.models.manifest(VERSION), "model.json"))
    features, _ = credit_rows(np.random.default_rng([hour.hour, number]), rows)
    probabilities = model.probabilities_of({name: features[name].to_numpy() for name in features})
    seconds = time.process_time()
    requests = -(-rows // A_REQUEST)
    moments = [hour + (n + 0.5) * HOUR / requests for n in range(requests)]
    named = [(new_request_id(moment), timestamp_of(moment)) for moment in moments]
    lines = [
        _line(*named[row // A_REQUEST], row % A_REQUEST, values, probability, model.threshold)
        for row, (values, probability) in enumerate(
            zip(features.to_dict("records"), probabilities.tolist(), strict=True)
        )
    ]
    body = to_lines(lines)
    packed = gzip.compress(body, compresslevel=6, mtime=0)
    data.put(f"{hour_prefix(hour)}selfheal-bench-predictions-{number:03d}.jsonl.gz", packed)
    found = {"lines": len(body), "packed": len(packed), "seconds": time.process_time() - seconds}
    sys.stdout.write(json.dumps(found) + "\n")


def _line(request: str, moment: str, row: int, values: dict[str, Any], probability: float, threshold: float) -> Any:
    return {
        "prediction_id": f"{request}-{row:04d}",
        "id": None,
        "timestamp": moment,
        "model_version": VERSION,
        "probability": probability,
        "prediction": int(probability >= threshold),
        "features": {name: None if pd.isna(value) else value for name, value in values.items()},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
