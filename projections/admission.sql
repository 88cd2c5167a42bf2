-- news --
-- Events of partners and tills after a position: few, and found by an index of their own. Closes
-- of days are many beside them, and admit nobody.
SELECT notification_id, topic, state
FROM ledger_events
WHERE notification_id > %(after)s
  AND topic NOT IN ('DonationRecorded', 'DonationReversed')
  AND topic = ANY(%(topics)s)
ORDER BY notification_id;
