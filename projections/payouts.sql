-- table --
-- One row per payout with what the bank got of it, and one for each movement that it is made of.
CREATE TABLE payout (
    payout_id    uuid    PRIMARY KEY,
    stripe_id    text    NOT NULL,
    cents        bigint  NOT NULL,
    arrival_on   date    NOT NULL,
    lines        integer NOT NULL,
    by_hand      boolean NOT NULL,
    livemode     boolean NOT NULL,
    failed_on    date,
    banked_cents bigint  NOT NULL DEFAULT 0
);

CREATE TABLE payout_line (
    payout_id   uuid    NOT NULL,
    number      integer NOT NULL,
    kind        text    NOT NULL,
    source_id   text    NOT NULL,
    gross_cents bigint  NOT NULL,
    fee_cents   bigint  NOT NULL,
    net_cents   bigint  NOT NULL,
    PRIMARY KEY (payout_id, number)
);
CREATE INDEX payout_line_source_idx ON payout_line (source_id);

-- pay --
INSERT INTO payout AS p (payout_id, stripe_id, cents, arrival_on, lines, by_hand, livemode)
VALUES (%(payout_id)s, %(stripe_id)s, %(cents)s, %(arrival_on)s, %(lines)s,
        coalesce(%(by_hand)s::boolean, false), %(livemode)s)
ON CONFLICT (payout_id) DO UPDATE
SET stripe_id = excluded.stripe_id, cents = excluded.cents, arrival_on = excluded.arrival_on,
    lines = excluded.lines, by_hand = excluded.by_hand, livemode = excluded.livemode;

-- list --
INSERT INTO payout_line (payout_id, number, kind, source_id, gross_cents, fee_cents, net_cents)
SELECT %(payout_id)s, number, kind, source_id, gross_cents, fee_cents, net_cents
FROM unnest(%(number)s::integer[], %(kind)s::text[], %(source_id)s::text[],
            %(gross_cents)s::bigint[], %(fee_cents)s::bigint[], %(net_cents)s::bigint[])
    AS line (number, kind, source_id, gross_cents, fee_cents, net_cents);

-- fail --
UPDATE payout SET failed_on = %(failed_on)s WHERE payout_id = %(payout_id)s;

-- bank --
UPDATE payout SET banked_cents = banked_cents + %(cents)s WHERE payout_id = %(payout_id)s;

-- select --
-- `listed_cents` is what the lines add up to, less fees.
SELECT p.payout_id, p.stripe_id, p.cents, p.arrival_on, p.lines, p.livemode, p.failed_on,
       p.banked_cents, coalesce(l.gross_cents, 0)::bigint AS gross_cents,
       coalesce(l.fee_cents, 0)::bigint AS fee_cents,
       coalesce(l.net_cents, 0)::bigint AS listed_cents
FROM payout AS p
LEFT JOIN LATERAL (
    SELECT sum(gross_cents) AS gross_cents, sum(fee_cents) AS fee_cents, sum(net_cents) AS net_cents
    FROM payout_line AS one WHERE one.payout_id = p.payout_id
) AS l ON true
WHERE (%(payout_id)s::uuid IS NULL OR p.payout_id = %(payout_id)s)
  AND (%(unbanked)s IS FALSE OR (p.failed_on IS NULL AND p.banked_cents <> p.cents))
  AND (%(failed)s IS FALSE OR (p.failed_on IS NOT NULL AND p.banked_cents <> 0))
ORDER BY p.arrival_on DESC, p.stripe_id
LIMIT %(limit)s;

-- lines --
SELECT kind, source_id, gross_cents, fee_cents, net_cents
FROM payout_line WHERE payout_id = %(payout_id)s ORDER BY number;

-- of_source --
-- The payouts that hold a charge, a refund or a dispute: a failed one, then the one after it.
SELECT payout_id FROM payout_line JOIN payout USING (payout_id)
WHERE source_id = %(source_id)s ORDER BY arrival_on, payout_id;

-- unknown --
-- Of the charges, refunds and disputes that lines name, those that the ledger does not know.
SELECT DISTINCT l.kind, l.source_id
FROM unnest(%(kind)s::text[], %(source_id)s::text[]) AS l (kind, source_id)
WHERE (l.kind = 'charge' AND NOT EXISTS (SELECT FROM payment WHERE charge_id = l.source_id))
   OR (l.kind = 'refund' AND NOT EXISTS (SELECT FROM payment_refund WHERE refund_id = l.source_id))
   OR (l.kind = 'dispute'
       AND NOT EXISTS (SELECT FROM payment_dispute WHERE dispute_id = l.source_id));

-- differences --
-- What Stripe moved and the ledger does not know, or the reverse. Each has a name, the cents that it
-- is about, and since when it stands.
SELECT 'charge_unknown' AS name, l.source_id AS about, l.gross_cents AS cents, o.arrival_on AS since
FROM payout_line AS l JOIN payout AS o USING (payout_id)
WHERE l.kind = 'charge' AND NOT EXISTS (SELECT FROM payment AS p WHERE p.charge_id = l.source_id)
UNION ALL
SELECT 'charge_differs', l.source_id, l.gross_cents - p.cents, o.arrival_on
FROM payout_line AS l JOIN payout AS o USING (payout_id)
JOIN payment AS p ON p.charge_id = l.source_id
WHERE l.kind = 'charge' AND l.gross_cents <> p.cents
UNION ALL
SELECT 'refund_unknown', l.source_id, l.gross_cents, o.arrival_on
FROM payout_line AS l JOIN payout AS o USING (payout_id)
WHERE l.kind = 'refund'
  AND NOT EXISTS (SELECT FROM payment_refund AS r WHERE r.refund_id = l.source_id)
  AND NOT EXISTS (SELECT FROM payout_line AS back
                  WHERE back.source_id = l.source_id AND back.kind = 'adjustment'
                    AND back.gross_cents = -l.gross_cents)
UNION ALL
SELECT 'dispute_unknown', l.source_id, l.gross_cents, o.arrival_on
FROM payout_line AS l JOIN payout AS o USING (payout_id)
WHERE l.kind IN ('dispute', 'dispute_reversal')
  AND NOT EXISTS (SELECT FROM payment_dispute AS d WHERE d.dispute_id = l.source_id)
UNION ALL
SELECT 'payout_unexplained', o.stripe_id, o.cents - coalesce(l.net_cents, 0), o.arrival_on
FROM payout AS o
LEFT JOIN (SELECT payout_id, sum(net_cents)::bigint AS net_cents FROM payout_line GROUP BY payout_id)
    AS l USING (payout_id)
WHERE o.cents <> coalesce(l.net_cents, 0) AND NOT o.by_hand
UNION ALL
SELECT 'payout_not_banked', o.stripe_id, o.cents - o.banked_cents, o.arrival_on
FROM payout AS o
WHERE o.failed_on IS NULL AND o.banked_cents <> o.cents AND o.arrival_on < %(banked_before)s
UNION ALL
SELECT 'failed_payout_banked', o.stripe_id, o.banked_cents, o.failed_on
FROM payout AS o
WHERE o.failed_on IS NOT NULL AND o.banked_cents <> 0
UNION ALL
SELECT 'payment_not_paid_out', p.charge_id, p.cents, (p.succeeded_at AT TIME ZONE 'Europe/Paris')::date
FROM payment AS p
WHERE p.state = 'succeeded' AND p.succeeded_at < %(paid_out_before)s
  AND NOT EXISTS (SELECT FROM payout_line AS l WHERE l.source_id = p.charge_id)
ORDER BY since, name, about;
