-- as_of --
-- The position that every one of some read models has reached, and the event that stands there.
SELECT reached.position, event.state
FROM (
    SELECT coalesce(min(position), 0) AS position
    FROM follower_position
    WHERE cardinality(%(models)s::text[]) = 0 OR model = ANY(%(models)s::text[])
) AS reached
LEFT JOIN LATERAL (
    SELECT state FROM ledger_events
    WHERE notification_id <= reached.position
    ORDER BY notification_id DESC
    LIMIT 1
) AS event ON true;
