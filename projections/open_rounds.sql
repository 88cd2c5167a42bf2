-- news --
-- Events of rounds after a position, then how far was looked: ballots are many beside them, and
-- none is looked at twice.
WITH head AS MATERIALIZED (
    SELECT coalesce(max(notification_id), 0) AS position FROM ledger_events
)
SELECT notification_id, topic, state
FROM ledger_events, head
WHERE notification_id > %(after)s AND notification_id <= head.position
  AND topic NOT IN ('DonationRecorded', 'DonationReversed')
  AND topic = ANY(%(topics)s)
UNION ALL
SELECT position, NULL, NULL FROM head
ORDER BY 1, 2;
