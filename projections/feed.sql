-- page --
-- The next events after a position, folded by PostgreSQL into one row for each kind of event: an
-- event costs one comma here, and a row of five columns otherwise. Positions and states of a kind
-- stay in step because both aggregates see the rows of the page in the same order.
SELECT topic, count(*) AS events, max(notification_id) AS last,
       string_agg(int8send(notification_id), '') AS positions, string_agg(state, ',') AS states
FROM (
    SELECT notification_id, topic, state
    FROM ledger_events
    WHERE notification_id > %(after)s
    ORDER BY notification_id
    LIMIT %(limit)s
) AS page
GROUP BY topic;

-- head --
-- The position of the newest event, 0 in an empty ledger.
SELECT coalesce(max(notification_id), 0) AS head FROM ledger_events;

-- count --
-- How many events there are.
SELECT count(*) AS events FROM ledger_events;
