"""Fit the pipeline of a peer in its own environment: `fit_peer.py rows.csv joblib|mlflow|bentoml target`."""

import sys

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

rows, kind, target = sys.argv[1:]
table = pd.read_csv(rows).astype("float64")
features, labels = table.drop(columns="label"), table["label"]
imputer = SimpleImputer(strategy="median").set_output(transform="pandas")
pipeline = make_pipeline(imputer, HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=0))
pipeline.fit(features, labels)
if kind == "joblib":
    import joblib

    joblib.dump(pipeline, target)
elif kind == "mlflow":
    import mlflow.sklearn

    signature = mlflow.models.infer_signature(features.head(), pipeline.predict(features.head()))
    mlflow.sklearn.save_model(pipeline, target, signature=signature, serialization_format="cloudpickle")
else:
    import bentoml

    bentoml.sklearn.save_model("peer", pipeline, signatures={"predict_proba": {"batchable": False}})
