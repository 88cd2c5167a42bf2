-- totals --
-- What statements asked for, and what became of it. A credit is what came in beyond it.
SELECT coalesce(sum(owed_cents), 0)::bigint AS closed_cents,
       coalesce(sum(greatest(left_cents, 0)) FILTER (WHERE due_on >= %(on)s), 0)::bigint
           AS not_due_cents,
       coalesce(sum(greatest(left_cents, 0)) FILTER (WHERE due_on < %(on)s), 0)::bigint
           AS overdue_cents,
       count(*) FILTER (WHERE left_cents > 0 AND due_on < %(on)s) AS overdue_statements,
       count(DISTINCT partner_id) FILTER (WHERE left_cents > 0 AND due_on < %(on)s)
           AS overdue_partners,
       coalesce(sum(banked_cents), 0)::bigint AS banked_cents,
       coalesce(sum(written_off_cents), 0)::bigint AS written_off_cents,
       coalesce(sum(greatest(-left_cents, 0)), 0)::bigint AS credit_cents,
       min((closed_at AT TIME ZONE 'Europe/Paris')::date) FILTER (WHERE left_cents > 0)
           AS waited_since
FROM statement;

-- to_owed --
-- Days from a gift to the statement it is on, and the cents that took so long.
SELECT (s.closed_at AT TIME ZONE 'Europe/Paris')::date - d.day AS days, sum(d.cents)::bigint AS cents
FROM statement_day AS d
JOIN statement AS s USING (statement_id)
WHERE d.cents > 0 AND (s.closed_at AT TIME ZONE 'Europe/Paris')::date > %(since)s
GROUP BY 1
ORDER BY 1;

-- to_banked --
-- Days from a statement to the money that stands for it. Where some was taken back, what came in
-- last is what stands: a cheque that was not honoured never makes a delay look shorter. What was set
-- off counts once, where it came in.
WITH money AS (
    SELECT m.cents, s.banked_cents,
           greatest(m.day - (s.closed_at AT TIME ZONE 'Europe/Paris')::date, 0) AS days,
           sum(m.cents) OVER (
               PARTITION BY m.statement_id ORDER BY m.day DESC, m.position DESC, m.place DESC
           )::bigint AS through
    FROM statement_money AS m
    JOIN statement AS s USING (statement_id)
    WHERE m.means IN ('transfer', 'remittance', 'card') AND m.cents > 0
      AND (s.closed_at AT TIME ZONE 'Europe/Paris')::date > %(since)s
), standing AS (
    SELECT days, least(cents, greatest(banked_cents - (through - cents), 0)) AS cents FROM money
)
SELECT days, sum(cents)::bigint AS cents
FROM standing
WHERE cents > 0
GROUP BY days
ORDER BY days;

-- overdue --
-- Each statement that is due and not settled, the longest due first. A credit that is not set off
-- yet stands for what the same partner owes elsewhere, of that which fell due first: `cents` are what
-- is owed beyond it. Of whom a set-off is still to be taken back, nothing is said meanwhile; what was
-- whole once is late since it was not any more.
WITH debt AS (
    SELECT partner_id, number, greatest(due_on, lacking_since) AS due_on, left_cents,
           (closed_at AT TIME ZONE 'Europe/Paris')::date AS closed_on,
           sum(greatest(left_cents, 0)) OVER in_order
           - sum(greatest(-left_cents, 0)) OVER (PARTITION BY partner_id) AS beyond_cents,
           bool_or(set_off_cents < 0 AND left_cents > 0) OVER (PARTITION BY partner_id) AS unsettled
    FROM statement
    WINDOW in_order AS (PARTITION BY partner_id ORDER BY due_on, number)
)
SELECT partner_id, number, due_on, closed_on, least(left_cents, beyond_cents)::bigint AS cents
FROM debt
WHERE NOT unsettled AND left_cents > 0 AND beyond_cents > 0 AND due_on < %(on)s
ORDER BY due_on, partner_id, number;
