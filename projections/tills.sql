-- table --
-- The tills of every partner, what each gave on each day, and how its days were closed.
CREATE TABLE till (
    till_id    uuid PRIMARY KEY,
    partner_id uuid NOT NULL,
    name       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('offered', 'enrolled', 'revoked')),
    since      timestamptz NOT NULL,
    code_mac   text,
    expires_at timestamptz
);

CREATE INDEX till_partner_idx ON till (partner_id);
CREATE INDEX till_code_idx ON till (code_mac) WHERE code_mac IS NOT NULL;

CREATE TABLE till_day (
    till_id        uuid   NOT NULL,
    day            date   NOT NULL,
    gifts          bigint NOT NULL DEFAULT 0 CHECK (gifts >= 0),
    given_cents    bigint NOT NULL DEFAULT 0 CHECK (given_cents >= 0),
    reversals      bigint NOT NULL DEFAULT 0 CHECK (reversals >= 0),
    reversed_cents bigint NOT NULL DEFAULT 0 CHECK (reversed_cents >= 0),
    PRIMARY KEY (till_id, day)
);

CREATE TABLE till_close (
    till_id      uuid        NOT NULL,
    day          date        NOT NULL,
    closed_at    timestamptz NOT NULL,
    gifts        bigint      NOT NULL,
    cents        bigint      NOT NULL,
    first_number bigint,
    last_number  bigint,
    ledger_gifts bigint      NOT NULL,
    ledger_cents bigint      NOT NULL,
    agrees       boolean     NOT NULL,
    PRIMARY KEY (till_id, day)
);

-- offered --
-- A code was given out: for a new till, or for another device of one that exists.
INSERT INTO till (till_id, partner_id, name, state, since, code_mac, expires_at)
VALUES (%(till_id)s, %(partner_id)s, %(name)s, 'offered', %(at)s, %(code_mac)s, %(expires_at)s)
ON CONFLICT (till_id) DO UPDATE
SET code_mac = excluded.code_mac, expires_at = excluded.expires_at;

-- enrolled --
-- A device became a till; its code is used up.
INSERT INTO till (till_id, partner_id, name, state, since)
VALUES (%(till_id)s, %(partner_id)s, %(name)s, 'enrolled', %(at)s)
ON CONFLICT (till_id) DO UPDATE
SET state = 'enrolled', since = excluded.since, name = excluded.name,
    code_mac = NULL, expires_at = NULL;

-- rotated --
-- The till has another key: whatever code was given out is used up or too old.
UPDATE till SET code_mac = NULL, expires_at = NULL WHERE till_id = %(till_id)s;

-- revoked --
UPDATE till SET state = 'revoked', since = %(at)s, code_mac = NULL, expires_at = NULL
WHERE till_id = %(till_id)s;

-- closed --
-- A day was closed, perhaps again: the newest close counts.
INSERT INTO till_close (till_id, day, closed_at, gifts, cents, first_number, last_number,
                        ledger_gifts, ledger_cents, agrees)
VALUES (%(till_id)s, %(day)s, %(at)s, %(gifts)s, %(cents)s, %(first_number)s, %(last_number)s,
        %(ledger_gifts)s, %(ledger_cents)s, %(agrees)s)
ON CONFLICT (till_id, day) DO UPDATE
SET closed_at = excluded.closed_at, gifts = excluded.gifts, cents = excluded.cents,
    first_number = excluded.first_number, last_number = excluded.last_number,
    ledger_gifts = excluded.ledger_gifts, ledger_cents = excluded.ledger_cents,
    agrees = excluded.agrees;

-- add --
-- Adds one batch's sums to the days they belong to.
INSERT INTO till_day AS t (till_id, day, gifts, given_cents, reversals, reversed_cents)
SELECT *
FROM unnest(%(till_id)b::text[]::uuid[], %(day)b::text[]::date[], %(gifts)b::bigint[],
            %(given_cents)b::bigint[], %(reversals)b::bigint[], %(reversed_cents)b::bigint[])
ON CONFLICT (till_id, day) DO UPDATE
SET gifts = t.gifts + excluded.gifts,
    given_cents = t.given_cents + excluded.given_cents,
    reversals = t.reversals + excluded.reversals,
    reversed_cents = t.reversed_cents + excluded.reversed_cents;

-- of_partner --
-- The tills of one partner, those in use first, with when each was last heard of.
SELECT t.till_id, t.partner_id, t.name, t.state, t.since, t.expires_at, s.seen_at
FROM till AS t
LEFT JOIN till_seen AS s USING (till_id)
WHERE t.partner_id = %(partner_id)s
ORDER BY t.state = 'revoked', t.name, t.till_id;

-- offered_by_code --
-- The till that waits for a code.
SELECT till_id FROM till WHERE code_mac = %(code_mac)s;

-- day --
-- What one till gave on one day.
SELECT day, gifts, given_cents, reversals, reversed_cents
FROM till_day
WHERE till_id = %(till_id)s AND day = %(day)s;

-- closes --
-- The newest closed days of one till, with what the ledger counts of them now.
SELECT c.day, c.closed_at, c.gifts, c.cents, c.first_number, c.last_number,
       c.ledger_gifts, c.ledger_cents, c.agrees,
       coalesce(d.gifts, 0) AS gifts_now, coalesce(d.given_cents, 0) AS cents_now
FROM till_close AS c
LEFT JOIN till_day AS d USING (till_id, day)
WHERE c.till_id = %(till_id)s
ORDER BY c.day DESC
LIMIT %(limit)s;
