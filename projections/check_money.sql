-- dues --
-- What partners have on no statement, as the read model sums it.
SELECT partner_id, lines - closed_lines, cents - closed_cents FROM due_partner
WHERE lines <> closed_lines OR cents <> closed_cents;

-- due_lines --
-- All lines that partners ever had, as the positions kept of them tell, and what they come to.
SELECT p.partner_id, coalesce(b.lines, 0), p.cents
FROM due_partner AS p
LEFT JOIN (
    SELECT partner_id, sum(length(positions) / 8)::bigint AS lines FROM due_block GROUP BY partner_id
) AS b ON b.partner_id = p.partner_id;

-- statements --
SELECT statement_id, partner_id, number, owed_cents, banked_cents, written_off_cents, reminders,
       overdue_noted, (write_off ->> 'write_off_id')::uuid
FROM statement;

-- statement_days --
SELECT statement_id, sum(cents)::bigint FROM statement_day GROUP BY statement_id;

-- bank --
SELECT transaction_id, cents, open_cents FROM bank_transaction;

-- bank_matches --
-- The matches that hold, each with what it allocates.
SELECT m.match_id, m.transaction_id, sum((a.allocation ->> 'cents')::bigint)::bigint
FROM bank_match AS m, jsonb_array_elements(m.allocations) AS a (allocation)
WHERE m.undone_at IS NULL
GROUP BY m.match_id;

-- bank_days --
SELECT account_id, day, cents FROM bank_day;

-- remittances --
SELECT remittance_id, partner_id, cents, state, deposited_cents FROM remittance;

-- pledges --
SELECT pledge_id, cents - withdrawn_cents, called_cents, used_cents, banked_cents FROM pledge;

-- payments --
-- What is left of each payment that came.
SELECT payment_id, cents, cents - refunded_cents - withdrawn_cents FROM payment
WHERE state = 'succeeded';

-- payouts --
SELECT p.payout_id, p.cents, p.banked_cents, p.failed_on IS NOT NULL, count(l.number),
       coalesce(sum(l.net_cents), 0)::bigint
FROM payout AS p LEFT JOIN payout_line AS l ON l.payout_id = p.payout_id
GROUP BY p.payout_id;
