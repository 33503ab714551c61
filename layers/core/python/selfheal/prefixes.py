"""Where everything lies in the two buckets, and for how long the data bucket keeps it.

Stores write there; the template grants rights, deletes and locks by the same names.
"""

from datetime import timedelta

# The data bucket.
PREDICTIONS = "predictions/"
PREDICTIONS_HOURLY = "predictions-hourly/"
# Where a Firehose stream puts what it can't deliver; its objects' names begin with the stream's, which begins so.
UNDELIVERED = "predictions-undelivered/"
STREAM = "selfheal-"
SUMMARIES = "summaries-hourly/"
PREDICTION_IDS = "prediction-ids/"
IDEMPOTENCY = "idempotency/"
LABELS_INCOMING = "labels/incoming/"
# Parts of large files: uploads of their own.
LABELS_PARTS = f"{LABELS_INCOMING}parts/"
LABELS_ACCEPTED = "labels/accepted/"
LABELS_REJECTED = "labels/rejected/"
LABELS_OUTCOMES = "labels/outcomes/"
LABELS_BY_ID = "labels/by-id/"
BATCHES_INCOMING = "batches/incoming/"
# Parts of large files, which are answered one by one.
BATCHES_PARTS = "batches/parts/"
BATCHES_DONE = "batches/done/"
PROGRESS = "progress/"
MONITORING = "monitoring/"
RUNS = f"{MONITORING}dt="
FAULT_PERIODS = f"{MONITORING}faults/"
PROBATIONS = f"{MONITORING}probations/"
RUN_ROWS = f"{MONITORING}runs/"
# What Athena answers to people, where a stage has its tables.
QUERY_RESULTS = "query-results/"

# The registry.
MODELS = "models/"
POINTERS = "pointers/"
EVIDENCE = "evidence/"
LEDGER = "ledger/"
LEDGER_SEALS = "ledger-seals/"

# Objects of the registry that are never changed: models, verdicts and decisions.
WRITTEN_ONCE = (MODELS, EVIDENCE, LEDGER, LEDGER_SEALS)

# Accepted labels, roll-ups of predictions and what monitoring found.
KEPT = timedelta(days=400)
# Days that what is rolled up, answered or taken in stays as it came.
SMALL_OBJECTS = 30
# Days after which what lies below a prefix of the data bucket goes.
LIFETIMES = {
    IDEMPOTENCY: 2,
    PROGRESS: 2,
    PREDICTIONS: SMALL_OBJECTS,
    SUMMARIES: SMALL_OBJECTS,
    LABELS_INCOMING: SMALL_OBJECTS,
    LABELS_REJECTED: SMALL_OBJECTS,
    LABELS_OUTCOMES: SMALL_OBJECTS,
    BATCHES_INCOMING: SMALL_OBJECTS,
    BATCHES_PARTS: SMALL_OBJECTS,
    BATCHES_DONE: SMALL_OBJECTS,
    PREDICTIONS_HOURLY: KEPT.days,
    PREDICTION_IDS: KEPT.days,
    LABELS_ACCEPTED: KEPT.days,
    LABELS_BY_ID: KEPT.days,
    MONITORING: KEPT.days,
}
# The same where predictions are logged by a stream.
STREAM_LIFETIMES = {UNDELIVERED: KEPT.days}
# The same where people query them: what was answered can be asked again.
QUERY_LIFETIMES = {QUERY_RESULTS: 7}
