"""An hour's summary as bytes and back: arrays one after the other, and nothing in it that runs.

A summary has hundreds of small arrays, and a monitoring run reads twenty summaries: a zip with a file for each array
takes three times as long to read.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.drift.grid import Placed
from selfheal.drift.repeats import Repeats
from selfheal.drift.summary import FeatureSummary, InputSummary
from selfheal.monitoring.answers import Answers
from selfheal.monitoring.hour import HourSummary
from selfheal.monitoring.window import WindowSummary
from selfheal.tables.dataset import typed_features
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.sample import Sample

FORMAT = b"selfheal-summary-2\n"
# Bytes that say how long the header is.
LENGTH = 8
COUNTED = ("missing", "outside", "fractional", "unseen", "undeclared")
ANSWERED = ("n", "positives", "mean", "squares", "histogram", "sample", "hashes", "by_class", "are_numbers")
ARRAYS = ("timestamps", "probabilities", "predictions")
TEXTS = ("prediction_ids", "model_versions")

type Arrays = Mapping[str, NDArray[Any]]


def packed(summary: HourSummary) -> bytes:
    """As `unpacked` reads it."""
    arrays = {"minutes": summary.minutes, **dict(_window(summary.window))}
    arrays |= {f"answers/{name}": np.asarray(getattr(summary.answers, name)) for name in ANSWERED}
    content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    shapes = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
    header = json.dumps({"bytes": len(content), "arrays": shapes}).encode()
    return b"".join([FORMAT, len(header).to_bytes(LENGTH), header, pa.compress(content, codec="zstd", asbytes=True)])


def unpacked(body: bytes, contract: Contract) -> HourSummary | None:
    """What was packed under a contract; None where it is of another release, or none."""
    if not body.startswith(FORMAT):
        return None
    try:
        return _summary(_arrays(body), contract)
    except (KeyError, OSError, TypeError, ValueError):
        return None


def _arrays(body: bytes) -> Arrays:
    begin = len(FORMAT) + LENGTH
    end = begin + int.from_bytes(body[len(FORMAT) : begin])
    header = json.loads(body[begin:end])
    content, at, arrays = pa.decompress(body[end:], header["bytes"], codec="zstd", asbytes=True), 0, {}
    for name, (kind, shape) in header["arrays"].items():
        array = np.frombuffer(content, np.dtype(kind), int(np.prod(shape)), at).reshape(shape)
        arrays[name], at = array, at + array.nbytes
    return arrays


def _summary(arrays: Arrays, contract: Contract) -> HourSummary:
    known = {name: arrays[f"answers/{name}"] for name in ANSWERED}
    scalars: dict[str, Any] = {name: value if value.ndim else value.item() for name, value in known.items()}
    features = {name: _feature(arrays, f"feature/{i}") for i, name in enumerate(contract.feature_names)}
    repeats = Repeats(int(arrays["rows"]), arrays["keys"], arrays["counts"], arrays["signed"])
    versions = _decoded(arrays["versions"])
    samples = {
        version: Sample(_rows_in(arrays, f"sample/{i}", contract), arrays[f"sample/{i}/hashes"])
        for i, version in enumerate(versions)
    }
    window = WindowSummary(InputSummary(features, repeats), samples, _rows_in(arrays, "newest", contract))
    return HourSummary(window, Answers(**scalars), arrays["minutes"])


def _window(window: WindowSummary) -> Iterator[tuple[str, NDArray[Any]]]:
    repeats = window.inputs.repeats
    yield from (("rows", np.array(repeats.rows)), ("keys", repeats.keys))
    yield from (("counts", repeats.counts), ("signed", repeats.signed))
    for i, feature in enumerate(window.inputs.features.values()):
        yield f"feature/{i}/counts", feature.counts
        yield f"feature/{i}/counted", np.array([getattr(feature, name) for name in COUNTED], dtype=np.int64)
        if feature.placed is not None:
            yield f"feature/{i}/placed", feature.placed.counts
            yield f"feature/{i}/sums", np.stack([feature.placed.sums, feature.placed.squares])
    yield "versions", _encoded(list(window.samples))
    for i, sample in enumerate(window.samples.values()):
        yield f"sample/{i}/hashes", sample.hashes
        yield from _rows(f"sample/{i}", sample.rows)
    yield from _rows("newest", window.newest)


def _feature(arrays: Arrays, at: str) -> FeatureSummary:
    counted = dict(zip(COUNTED, arrays[f"{at}/counted"].tolist(), strict=True))
    if f"{at}/placed" not in arrays:
        return FeatureSummary(arrays[f"{at}/counts"], **counted)
    return FeatureSummary(
        arrays[f"{at}/counts"], placed=Placed(arrays[f"{at}/placed"], *arrays[f"{at}/sums"]), **counted
    )


def _rows(at: str, rows: PredictionWindow) -> Iterator[tuple[str, NDArray[Any]]]:
    yield from ((f"{at}/{name}", getattr(rows, name)) for name in ARRAYS)
    yield from ((f"{at}/{name}", _encoded(getattr(rows, name).tolist())) for name in TEXTS)
    for i, name in enumerate(rows.features):
        column = rows.features[name]
        if column.dtype == np.float64:
            yield f"{at}/column/{i}", column.to_numpy()
        else:
            codes, values = pd.factorize(column)
            yield f"{at}/column/{i}/codes", codes
            yield f"{at}/column/{i}/values", _encoded(values.tolist())


def _rows_in(arrays: Arrays, at: str, contract: Contract) -> PredictionWindow:
    columns = {name: _column(arrays, f"{at}/column/{i}") for i, name in enumerate(contract.feature_names)}
    texts = {name: np.array(_decoded(arrays[f"{at}/{name}"]), dtype=object) for name in TEXTS}
    plain = {name: arrays[f"{at}/{name}"] for name in ARRAYS}
    return PredictionWindow(**texts, **plain, features=typed_features(pd.DataFrame(columns), contract))


def _column(arrays: Arrays, at: str) -> NDArray[Any]:
    if at in arrays:
        return arrays[at]
    values = np.array([*_decoded(arrays[f"{at}/values"]), None], dtype=object)
    return np.asarray(values[arrays[f"{at}/codes"]])


def _encoded(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Texts of any length: an array of texts gives each as much room as the longest needs."""
    return np.frombuffer(json.dumps(texts).encode(), dtype=np.uint8)


def _decoded(encoded: NDArray[Any]) -> list[str]:
    texts: list[str] = json.loads(encoded.tobytes())
    return texts
