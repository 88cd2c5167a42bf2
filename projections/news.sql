-- news --
-- Events of some topics after a position: few, and found by an index of their own. Then how far
-- was looked, so that ballots and closes of days, which are many beside them, are not looked at
-- twice.
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
