-- How right the labelled predictions of the last 30 days were in each group of the segments.
WITH ${judged}
SELECT
    segment,
    value,
    count(*) AS labelled,
    avg(CASE WHEN predicted = label THEN 1E0 ELSE 0E0 END) AS accuracy,
    avg(probability) AS mean_probability
FROM judged
GROUP BY segment, value
ORDER BY segment, value
