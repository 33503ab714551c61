-- What the monitoring runs of each of the last 30 days found.
SELECT
    dt AS day,
    count(*) AS runs,
    sum(CASE WHEN dataset_drift_detected THEN 1 ELSE 0 END) AS with_drift,
    sum(CASE WHEN faults > 0 THEN 1 ELSE 0 END) AS with_faults,
    sum(CASE WHEN decayed THEN 1 ELSE 0 END) AS with_decay,
    max(drift_share) AS largest_drift_share,
    min(p_value) AS smallest_p_value,
    max_by(drifted_features, drift_share) AS drifted_features,
    count(healing) AS healings,
    sum(CASE WHEN rolled_back THEN 1 ELSE 0 END) AS rollbacks
FROM runs
WHERE dt >= ${since}
GROUP BY dt
ORDER BY day
