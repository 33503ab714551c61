-- How often each group of the segments is predicted positive: over the last 30 days, and over the last seven.
WITH made AS (
    SELECT
        segments.segment,
        ${value} AS value,
        CAST(__prediction AS double) AS positive,
        __probability AS probability,
        dt >= ${last_week} AS is_recent
    FROM predictions
    CROSS JOIN (VALUES ${segments}) AS segments (segment)
    WHERE dt >= ${since}
)
SELECT
    segment,
    value,
    count(*) AS predictions,
    avg(positive) AS positive_rate,
    avg(CASE WHEN is_recent THEN positive END) AS positive_rate_7_days,
    avg(probability) AS mean_probability
FROM made
GROUP BY segment, value
ORDER BY segment, value
