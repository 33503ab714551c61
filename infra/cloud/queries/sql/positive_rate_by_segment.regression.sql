-- What is predicted for each group of the segments: over the last 30 days, and over the last seven.
WITH ${made}
SELECT
    segment,
    value,
    count(*) AS predictions,
    avg(predicted) AS mean_prediction,
    avg(CASE WHEN is_recent THEN predicted END) AS mean_prediction_7_days,
    stddev(predicted) AS standard_deviation
FROM made
GROUP BY segment, value
ORDER BY segment, value
