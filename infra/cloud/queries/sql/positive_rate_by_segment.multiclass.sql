-- How often each class is predicted in each group of the segments: over the last 30 days, and the last seven.
WITH ${made},
counted AS (
    SELECT
        segment,
        value,
        predicted,
        count(*) AS predictions,
        sum(CASE WHEN is_recent THEN 1 ELSE 0 END) AS recent,
        avg(probability) AS mean_probability
    FROM made
    GROUP BY segment, value, predicted
)
SELECT
    segment,
    value,
    predicted,
    predictions,
    CAST(predictions AS double) / sum(predictions) OVER (PARTITION BY segment, value) AS share,
    CAST(recent AS double) / nullif(sum(recent) OVER (PARTITION BY segment, value), 0) AS share_7_days,
    mean_probability
FROM counted
ORDER BY segment, value, predicted
