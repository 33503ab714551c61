-- made: predictions, once in each segment.
made AS (
    SELECT
        segments.segment,
        ${value} AS value,
        __prediction AS predicted,
        __probability AS probability,
        dt >= ${last_week} AS is_recent
    FROM predictions
    CROSS JOIN (VALUES ${segments}) AS segments (segment)
    WHERE dt >= ${since}
)
