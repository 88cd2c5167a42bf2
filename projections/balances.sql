-- table --
-- What was given and given back, per partner, source and month. A gift counts in the month
-- it was made, a reversal in the month it was made: a month that was published stays as it was.
CREATE TABLE balance (
    partner_id     uuid   NOT NULL,
    source         text   NOT NULL,
    month          text   NOT NULL,
    gifts          bigint NOT NULL DEFAULT 0 CHECK (gifts >= 0),
    given_cents    bigint NOT NULL DEFAULT 0 CHECK (given_cents >= 0),
    reversals      bigint NOT NULL DEFAULT 0 CHECK (reversals >= 0),
    reversed_cents bigint NOT NULL DEFAULT 0 CHECK (reversed_cents >= 0),
    PRIMARY KEY (partner_id, source, month)
);

-- add --
-- Adds one batch's sums to the rows they belong to.
INSERT INTO balance AS b (partner_id, source, month, gifts, given_cents, reversals, reversed_cents)
SELECT *
FROM unnest(%(partner_id)b::text[]::uuid[], %(source)b::text[], %(month)b::text[], %(gifts)b::bigint[],
            %(given_cents)b::bigint[], %(reversals)b::bigint[], %(reversed_cents)b::bigint[])
ON CONFLICT (partner_id, source, month) DO UPDATE
SET gifts = b.gifts + excluded.gifts,
    given_cents = b.given_cents + excluded.given_cents,
    reversals = b.reversals + excluded.reversals,
    reversed_cents = b.reversed_cents + excluded.reversed_cents;

-- by_source_and_month --
-- The whole foundation's sums.
SELECT source, month, sum(gifts)::bigint AS gifts, sum(given_cents)::bigint AS given_cents,
       sum(reversals)::bigint AS reversals, sum(reversed_cents)::bigint AS reversed_cents
FROM balance
GROUP BY source, month
ORDER BY month DESC, source;

-- of_partner --
-- One partner's sums.
SELECT source, month, gifts, given_cents, reversals, reversed_cents
FROM balance
WHERE partner_id = %(partner_id)s
ORDER BY month DESC, source;
