"""The names of a version's files, as its manifest lists them."""

# The files of a version beside its model (`selfheal.models.formats` has that one's name). `model.joblib` is kept for
# people; nothing in the system loads it.
ESTIMATOR = "model.joblib"
TRAINING = "training.parquet"
REFERENCE = "reference.parquet"
TUNING = "tuning.parquet"
CURVES = "curves.json"
CARD = "card.html"
