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

-- due_blocks --
-- Where the lines of each partner stand, what they come to, and how far they reach.
SELECT partner_id, block, positions, cents, last_on FROM due_block;

-- due_ends --
-- What of each partner's lines is on statements, since when it has some, and how far those reach.
SELECT partner_id, closed_lines, closed_cents, first_on, last_on, through_position FROM due_partner;

-- statements --
SELECT statement_id, partner_id, number, owed_cents, banked_cents, written_off_cents, set_off_cents,
       reminders, overdue_noted, settled_on, lacking_since, reminded_on, first_on, last_on, through_position, lines,
       lines_sha256, parts, reference, due_on, closed_by, closed_at,
       write_off IS NOT NULL, write_off ->> 'write_off_id', write_off ->> 'cents',
       write_off ->> 'reason', write_off ->> 'actor'
FROM statement;

-- statement_days --
SELECT statement_id, day, cents FROM statement_day;

-- statement_money --
SELECT statement_id, position, place, means, day, cents, other_id FROM statement_money;

-- statement_cards --
SELECT payment_id, statement_id FROM statement_card;

-- bank_files --
SELECT file_id, account_id, format, sha256, sequence, opening_on, opening_cents, closing_on,
       closing_cents, entries, credit_cents, debit_cents, read_at, actor
FROM bank_file;

-- bank --
SELECT transaction_id, cents, open_cents, account_id, entry_id, file_id, booked_on, value_on, kind,
       reference, end_to_end_mac, counterparty_mac, return_reason
FROM bank_transaction;

-- bank_matches --
-- All matches, with what each allocates, and how those ended that hold no more.
SELECT match_id, transaction_id, allocations, rule, matched_at, matched_by, undone_at, undone_by,
       undone_reason
FROM bank_match;

-- bank_days --
SELECT account_id, day, cents FROM bank_day;

-- remittances --
SELECT remittance_id, partner_id, cents, state, deposited_cents, means, received_on, declared_by,
       declared_at, decided_by, decided_at, returned_on
FROM remittance;

-- pledges --
SELECT pledge_id, cents - withdrawn_cents, called_cents, used_cents, banked_cents, sponsor,
       pledged_on, round_id, cents
FROM pledge;

-- pledge_calls --
SELECT call_id, pledge_id, number, cents, reference, due_on, called_on FROM pledge_call;

-- pledge_uses --
SELECT pledge_id, round_id, cents, used_on FROM pledge_use;

-- matched_rounds --
SELECT round_id, title, sponsor, cap_cents, state, matched_cents FROM matched_round;

-- payments --
-- What is left of each payment, and what it is.
SELECT payment_id, cents, cents - refunded_cents - withdrawn_cents, state, failed_for, purpose,
       purpose_id, partner_id, subscription_id, charge_id, method, succeeded_at, begun_at, livemode
FROM payment;

-- payment_refunds --
SELECT refund_id, payment_id, cents, refunded_on, failed_on FROM payment_refund;

-- payment_disputes --
SELECT dispute_id, payment_id, cents, reason, opened_at, evidence_due_at, withdrawn_on,
       reinstated_on, outcome
FROM payment_dispute;

-- subscriptions --
SELECT subscription_id, ended_on FROM card_subscription;

-- payouts --
SELECT p.payout_id, p.cents, p.banked_cents, p.failed_on, count(l.number),
       coalesce(sum(l.net_cents), 0)::bigint, p.stripe_id, p.arrival_on, p.lines, p.by_hand,
       p.livemode
FROM payout AS p LEFT JOIN payout_line AS l ON l.payout_id = p.payout_id
GROUP BY p.payout_id;

-- payout_lines --
SELECT payout_id, number, kind, source_id, gross_cents, fee_cents, net_cents FROM payout_line;
