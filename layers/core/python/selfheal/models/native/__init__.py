"""The serving artefact: `model.json`, a model as data, refused unless sound and evaluated exactly by this library.

The file is one JSON object:

- `format` and `format_version`;
- `features`: what a row holds, in order: `{"name", "kind"}` with kind `number` or `category`;
- `blocks`: how features become the columns that the estimator reads (see `selfheal.models.native.blocks`);
- `estimator`: coefficients (`linear`), boosted trees (`trees`) or a weighted `sum` of such, whose score is in log-odds;
- `calibration`: null, or `{"slope", "intercept"}` applied to the score;
- `threshold`: the operating point; a row is predicted positive from this probability on;
- `link`: left out where the answer is probability = 1 / (1 + exp(-(slope * score + intercept))). `identity`: the answer
  is the score. `softmax`: there is an estimator for each class (`outputs`), whose scores times the slope give
  probabilities that add up to 1. Neither has an operating point.
"""

from selfheal.models.native.model import FORMAT, FORMAT_VERSION, SIZE_LIMIT, NativeModel, load_artefact

__all__ = ["FORMAT", "FORMAT_VERSION", "SIZE_LIMIT", "NativeModel", "load_artefact"]
