-- Which version answered how much of each of the last 30 days.
SELECT
    dt AS day,
    __model_version AS version,
    count(*) AS predictions,
    CAST(count(*) AS double) / sum(count(*)) OVER (PARTITION BY dt) AS share,
    min(__timestamp) AS first_answer,
    max(__timestamp) AS last_answer
FROM predictions
WHERE dt >= ${since}
GROUP BY dt, __model_version
ORDER BY day, first_answer
