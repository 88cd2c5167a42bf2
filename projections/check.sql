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

-- standings --
-- What every partner is on a day, as the read model has it.
SELECT partner_id, status, since_on, reasons::text
FROM standing_period
WHERE first_on <= %(on)s AND (last_on IS NULL OR last_on >= %(on)s);

-- till_states --
SELECT till_id::text, state FROM till;

-- till_days --
SELECT till_id::text, day::text, gifts, given_cents, reversals, reversed_cents FROM till_day;

-- till_closes --
SELECT till_id::text, day::text, gifts, cents, last_number FROM till_close;

-- till_numbers --
SELECT till_id::text, count(*), sum(number)::bigint, max(number) FROM numbered_gift GROUP BY till_id;

-- till_gaps --
SELECT till_id::text, first_number::text, last_number::text, reason FROM gap_explained;

-- journal --
-- The next blocks of the journal.
SELECT block, lines FROM journal_block WHERE block > %(after)s ORDER BY block LIMIT 100;

-- firsts --
-- The events that open some streams.
SELECT originator_id, topic, state FROM ledger_events
WHERE originator_id = ANY(%(streams)s) AND originator_version = 1;
