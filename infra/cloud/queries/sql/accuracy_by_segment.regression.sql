-- How far from the truth the labelled predictions of the last 30 days were in each group of the segments.
WITH ${judged}
SELECT
    segment,
    value,
    count(*) AS labelled,
    avg(abs(predicted - label)) AS mae,
    sqrt(avg((predicted - label) * (predicted - label))) AS rmse,
    avg(predicted - label) AS mean_error
FROM judged
GROUP BY segment, value
ORDER BY segment, value
