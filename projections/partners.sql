-- table --
-- One row per partner as its events leave it; whether it is lapsed depends on the day asked.
CREATE TABLE partner (
    partner_id    uuid PRIMARY KEY,
    name          text NOT NULL,
    siret         text NOT NULL,
    state         text NOT NULL CHECK (state IN ('registered', 'active', 'suspended')),
    registered_on date NOT NULL,
    valid_from    date,
    valid_until   date
);

-- register --
INSERT INTO partner (partner_id, name, siret, state, registered_on)
VALUES (%(partner_id)s, %(name)s, %(siret)s, 'registered', %(registered_on)s);

-- activate --
UPDATE partner
SET state = 'active', valid_from = %(valid_from)s, valid_until = %(valid_until)s
WHERE partner_id = %(partner_id)s;

-- suspend --
UPDATE partner SET state = 'suspended' WHERE partner_id = %(partner_id)s;

-- every --
-- Every partner with what was given there; the gifts are the balances' rows, not a second count.
SELECT p.partner_id, p.name, p.siret, p.registered_on, p.valid_until,
       CASE WHEN p.state <> 'active' THEN p.state
            WHEN %(today)s < p.valid_from THEN 'registered'
            WHEN %(today)s > p.valid_until THEN 'lapsed'
            ELSE 'active' END AS status,
       coalesce(b.gifts, 0) AS gifts,
       coalesce(b.given_cents, 0) AS given_cents,
       coalesce(b.reversed_cents, 0) AS reversed_cents
FROM partner AS p
LEFT JOIN (
    SELECT partner_id, sum(gifts)::bigint AS gifts, sum(given_cents)::bigint AS given_cents,
           sum(reversed_cents)::bigint AS reversed_cents
    FROM balance
    WHERE %(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s
    GROUP BY partner_id
) AS b USING (partner_id)
WHERE %(partner_id)s::uuid IS NULL OR p.partner_id = %(partner_id)s;
