-- How right the labelled predictions of the last 30 days were in each group of the segments.
WITH ${judged}
SELECT
    segment,
    value,
    count(*) AS labelled,
    avg(CAST(label AS double)) AS positive_share,
    avg(CASE WHEN predicted = label THEN 1E0 ELSE 0E0 END) AS accuracy,
    2E0 * sum(predicted * label) / nullif(sum(predicted) + sum(label), 0) AS f1,
    avg((probability - label) * (probability - label)) AS brier
FROM judged
GROUP BY segment, value
ORDER BY segment, value
