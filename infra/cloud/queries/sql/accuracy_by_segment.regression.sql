-- How far from the truth the labelled predictions of the last 30 days were in each group of the segments.
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
        predictions.__prediction - said.label AS error
    FROM predictions
    INNER JOIN said ON said.dt = predictions.dt AND said.prediction_id = predictions.__prediction_id
    CROSS JOIN (VALUES ${segments}) AS segments (segment)
    WHERE predictions.dt >= ${since} AND said.place = 1
)
SELECT
    segment,
    value,
    count(*) AS labelled,
    avg(abs(error)) AS mae,
    sqrt(avg(error * error)) AS rmse,
    avg(error) AS mean_error
FROM judged
GROUP BY segment, value
ORDER BY segment, value
