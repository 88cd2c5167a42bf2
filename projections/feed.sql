-- page --
-- The next events after a position, folded by PostgreSQL into one row: a gift costs one
-- comma here, and a row of five columns otherwise. Ids and states of a kind stay in step
-- because each aggregate sees the rows of the page in the same order.
SELECT max(notification_id) AS last,
       count(*) AS events,
       array_agg(notification_id) FILTER (WHERE topic = 'DonationRecorded') AS gift_positions,
       string_agg(state, ',') FILTER (WHERE topic = 'DonationRecorded') AS gifts,
       array_agg(notification_id) FILTER (WHERE topic = 'DonationReversed') AS reversal_positions,
       string_agg(state, ',') FILTER (WHERE topic = 'DonationReversed') AS reversals,
       array_agg(notification_id) FILTER (WHERE topic NOT IN ('DonationRecorded', 'DonationReversed')) AS other_positions,
       array_agg(topic) FILTER (WHERE topic NOT IN ('DonationRecorded', 'DonationReversed')) AS other_topics,
       array_agg(state) FILTER (WHERE topic NOT IN ('DonationRecorded', 'DonationReversed')) AS other_states
FROM (
    SELECT notification_id, topic, state
    FROM ledger_events
    WHERE notification_id > %(after)s
    ORDER BY notification_id
    LIMIT %(limit)s
) AS page;

-- head --
-- The position of the newest event, 0 in an empty ledger.
SELECT coalesce(max(notification_id), 0) AS head FROM ledger_events;

-- count --
-- How many events there are.
SELECT count(*) AS events FROM ledger_events;
