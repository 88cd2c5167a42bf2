-- broken_versions --
-- Streams whose versions are not 1, 2, 3 … without a gap.
SELECT originator_id, count(*) AS events, min(originator_version) AS first, max(originator_version) AS last
FROM ledger_events
GROUP BY originator_id
HAVING min(originator_version) <> 1 OR max(originator_version) <> count(*)
LIMIT 100;

-- events --
-- Every event in the order of the feed, one row each.
SELECT notification_id, originator_id, topic, state
FROM ledger_events
WHERE notification_id > %(after)s
ORDER BY notification_id
LIMIT %(limit)s;

-- balances --
SELECT partner_id::text, source, month, gifts, given_cents, reversals, reversed_cents
FROM balance;

-- partners --
SELECT partner_id FROM partner;

-- journal --
-- The next blocks of the journal.
SELECT block, lines FROM journal_block WHERE block > %(after)s ORDER BY block LIMIT 100;

-- firsts --
-- The events that open some streams.
SELECT originator_id, topic, state FROM ledger_events
WHERE originator_id = ANY(%(streams)s) AND originator_version = 1;
