-- How many predictions of each of the last 30 days have a label by now, and after how many hours their first one came.
WITH said AS (
    SELECT dt, prediction_id, min(${received_at}) AS received
    FROM labels
    WHERE dt >= ${since}
    GROUP BY dt, prediction_id
),
waited AS (
    SELECT
        predictions.dt,
        CAST(date_diff('second', predictions.__timestamp, said.received) AS double) / 3600 AS hours
    FROM predictions
    LEFT JOIN said ON said.dt = predictions.dt AND said.prediction_id = predictions.__prediction_id
    WHERE predictions.dt >= ${since}
),
ranked AS (
    SELECT dt, hours, cume_dist() OVER (PARTITION BY dt, hours IS NULL ORDER BY hours) AS share
    FROM waited
)
SELECT
    dt AS day,
    count(*) AS predictions,
    count(hours) AS labelled,
    CAST(count(hours) AS double) / count(*) AS coverage,
    min(CASE WHEN share >= 0.5 THEN hours END) AS median_hours,
    min(CASE WHEN share >= 0.9 THEN hours END) AS hours_of_nine_tenths,
    max(hours) AS longest_hours
FROM ranked
GROUP BY dt
ORDER BY day
