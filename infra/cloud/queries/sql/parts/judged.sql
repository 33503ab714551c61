-- said: the label of each prediction that holds. judged: labelled predictions, once in each segment.
said AS (
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
