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
-- What the journal says it holds, and the lines it really holds.
SELECT coalesce(sum(events), 0)::bigint AS events,
       coalesce(sum(length(lines) - length(replace(lines, E'\n', ''))), 0)::bigint AS lines
FROM journal_block;

-- given --
-- The cents of the gifts that open some streams.
SELECT originator_id, (convert_from(state, 'UTF8')::json ->> 'amount_cents')::bigint AS cents
FROM ledger_events
WHERE originator_id = ANY(%(streams)s) AND originator_version = 1 AND topic = 'DonationRecorded';
