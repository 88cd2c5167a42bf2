-- news --
-- Events of accounts after a position: few, and found by an index of their own.
SELECT notification_id, topic, state
FROM ledger_events
WHERE notification_id > %(after)s
  AND topic NOT IN ('DonationRecorded', 'DonationReversed')
  AND topic = ANY(%(topics)s)
ORDER BY notification_id;
