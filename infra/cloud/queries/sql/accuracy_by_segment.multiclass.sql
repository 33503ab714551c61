-- How right the labelled predictions of the last 30 days were in each group of the segments.
WITH said AS (
    SELECT
        dt,
        prediction_id,
        label,
        row_number() OVER (
            PARTITION BY prediction_id
            ORDER BY ${label_timestamp} DESC, ${received_at} DESC, label DESC
        ) AS place
    FROM labels
    WHERE dt >= ${since}
),
judged AS (
    SELECT
        segments.segment,
        ${value} AS value,
        predictions.__prediction AS predicted,
        predictions.__probability AS probability,
        said.label
    FROM predictions
    INNER JOIN said ON said.dt = predictions.dt AND said.prediction_id = predictions.__prediction_id
    CROSS JOIN (VALUES ${segments}) AS segments (segment)
    WHERE predictions.dt >= ${since} AND said.place = 1
)
SELECT
    segment,
    value,
    count(*) AS labelled,
    avg(CASE WHEN predicted = label THEN 1E0 ELSE 0E0 END) AS accuracy,
    avg(probability) AS mean_probability
FROM judged
GROUP BY segment, value
ORDER BY segment, value
