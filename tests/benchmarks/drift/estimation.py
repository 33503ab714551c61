"""Estimated against realised performance, chunk by chunk, ours and NannyML's CBPE on the same chunks."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from selfheal.performance.estimated import Answered, estimated_performance
from selfheal.performance.realised import realised_performance
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.benchmarks.drift.trained import answers, trained
from tests.benchmarks.environments import NotInstallable, environment

CHUNK = 1000
PHASES = (Phase.CALM,) * 10 + (Phase.STRESS,) * 10
METRICS = ("f1", "roc_auc")
THEIRS = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import nannyml, pandas as pd
reference, analysis = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])
columns = {"y_pred_proba": "p", "y_pred": "yhat", "y_true": "y", "problem_type": "classification_binary"}
cbpe = nannyml.CBPE(**columns, metrics=["f1", "roc_auc"], chunk_size=1000)
found = cbpe.fit(reference).estimate(analysis).filter(period="analysis").to_df()
print(json.dumps({name: found[(name, "value")].tolist() for name in ("f1", "roc_auc")}))
"""


def estimation_errors() -> dict[str, float | None]:
    """Mean absolute errors over both metrics, interval coverage, mean width calm and stressed; ratio ours / theirs."""
    chunks = [credit_rows(np.random.default_rng(100 + i), CHUNK, phase) for i, phase in enumerate(PHASES)]
    ours, truth, covered, widths = [], [], [], []
    for features, labels in chunks:
        estimated, realised = _both(features, labels)
        ours.append([estimated.metrics[name].value for name in METRICS])
        truth.append([realised.metrics[name].value for name in METRICS])
        bounds = [estimated.metrics[name] for name in METRICS]
        covered += [b.low <= t <= b.high for b, t in zip(bounds, truth[-1], strict=True)]
        widths.append(np.mean([b.high - b.low for b in bounds]))
    error = float(np.abs(np.array(ours) - truth).mean())
    theirs = _nannyml(chunks)
    rival = float(np.abs(theirs - truth).mean()) if theirs is not None else None
    return {
        "ours": error,
        "nannyml": rival,
        "ratio": error / rival if rival else None,
        "interval_coverage": float(np.mean(covered)),
        "width_calm": float(np.mean(widths[:10])),
        "width_stressed": float(np.mean(widths[10:])),
    }


def _both(features: pd.DataFrame, labels: np.ndarray):
    _, tuning, reference = trained()
    probabilities, predictions = answers(features)
    moments = np.arange(len(labels)).astype("datetime64[us]")
    estimated = estimated_performance(
        Answered(moments, probabilities, predictions, reference.traits(features)),
        trained()[0].tuning_probabilities,
        tuning.labels,
        reference.traits(tuning.features),
    )
    return estimated, realised_performance(moments, probabilities, predictions, labels)


def _nannyml(chunks: list[tuple[pd.DataFrame, np.ndarray]]) -> np.ndarray | None:
    try:
        python = environment("nannyml", "nannyml==0.13.1", "statsmodels", "pandas<3", version="3.11")
    except NotInstallable:
        return None
    model, tuning, _ = trained()
    seen = model.tuning_probabilities
    known = pd.DataFrame({"p": seen, "yhat": (seen >= model.fitted.threshold).astype(int), "y": tuning.labels})
    answered = [answers(features) for features, _ in chunks]
    asked = pd.DataFrame(
        {"p": np.concatenate([p for p, _ in answered]), "yhat": np.concatenate([hat for _, hat in answered])}
    )
    with TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("reference.csv", "analysis.csv")]
        known.to_csv(paths[0], index=False)
        asked.to_csv(paths[1], index=False)
        done = subprocess.run([str(python), "-c", THEIRS, *paths], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    found = json.loads(done.stdout.splitlines()[-1])
    return np.array([found[name] for name in METRICS]).T
