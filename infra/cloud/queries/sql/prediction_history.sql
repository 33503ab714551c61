-- What became of one prediction: the answer, its labels, and how the version that gave it came and went.
-- Parameter: its id, in single quotes.
WITH asked AS (
    SELECT prediction_id, ${day_of_id} AS day
    FROM (SELECT CAST(? AS varchar) AS prediction_id) AS given
),
made AS (
    SELECT predictions.*
    FROM predictions
    INNER JOIN asked ON asked.day = predictions.dt AND asked.prediction_id = predictions.__prediction_id
),
events AS (
    SELECT
        __timestamp AS happened_at,
        'answered' AS event,
        'version ' || __model_version
        || ' said ' || CAST(__prediction AS varchar)
        || coalesce(', probability ' || CAST(__probability AS varchar), '') AS detail
    FROM made
    UNION ALL
    SELECT
        ${received_at},
        'labelled',
        CAST(label AS varchar) || ' as of ' || label_timestamp || CASE WHEN source = '' THEN '' ELSE ' from ' || source END
    FROM labels
    INNER JOIN asked ON asked.day = labels.dt AND asked.prediction_id = labels.prediction_id
    UNION ALL
    SELECT
        ${decided_at},
        CASE WHEN moved.decision.version = made.__model_version THEN 'version came' ELSE 'version went' END,
        moved.decision.kind || ' of ' || moved.decision.version || ': ' || moved.decision.reason
    FROM ledger AS moved
    INNER JOIN ledger AS ended ON ended.outcome.decision_id = moved.decision.decision_id
    INNER JOIN made
        ON moved.decision.version = made.__model_version OR moved.decision.previous_version = made.__model_version
    WHERE ended.outcome.kind = 'done'
)
SELECT happened_at, event, detail
FROM events
ORDER BY happened_at, event
