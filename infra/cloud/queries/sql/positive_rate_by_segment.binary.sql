-- How often each group of the segments is predicted positive: over the last 30 days, and over the last seven.
WITH ${made}
SELECT
    segment,
    value,
    count(*) AS predictions,
    avg(CAST(predicted AS double)) AS positive_rate,
    avg(CASE WHEN is_recent THEN CAST(predicted AS double) END) AS positive_rate_7_days,
    avg(probability) AS mean_probability
FROM made
GROUP BY segment, value
ORDER BY segment, value
