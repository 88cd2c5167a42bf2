-- table --
-- Cheques and cash that shops handed over, and how much of each was seen in the bank since.
CREATE TABLE remittance (
    remittance_id   uuid        PRIMARY KEY,
    partner_id      uuid        NOT NULL,
    means           text        NOT NULL,
    cents           bigint      NOT NULL CHECK (cents > 0),
    received_on     date        NOT NULL,
    state           text        NOT NULL,
    declared_by     text        NOT NULL,
    declared_at     timestamptz NOT NULL,
    decided_by      text,
    decided_at      timestamptz,
    returned_on     date,
    deposited_cents bigint      NOT NULL DEFAULT 0
);
CREATE INDEX remittance_partner ON remittance (partner_id);

-- declare --
INSERT INTO remittance (remittance_id, partner_id, means, cents, received_on, state, declared_by,
                        declared_at)
VALUES (%(remittance_id)s, %(partner_id)s, %(means)s, %(cents)s, %(received_on)s, 'declared',
        %(actor)s, %(at)s)
ON CONFLICT (remittance_id) DO NOTHING;

-- decide --
UPDATE remittance SET state = %(state)s, decided_by = %(actor)s, decided_at = %(at)s
WHERE remittance_id = %(remittance_id)s;

-- give_back --
UPDATE remittance SET state = 'returned', returned_on = %(returned_on)s
WHERE remittance_id = %(remittance_id)s;

-- deposit --
-- Adds what bank transactions were matched with them, less what was unmatched.
UPDATE remittance AS r SET deposited_cents = r.deposited_cents + d.cents
FROM unnest(%(remittance_id)s::uuid[], %(cents)s::bigint[]) AS d (remittance_id, cents)
WHERE r.remittance_id = d.remittance_id;

-- listed --
-- Those that wait for a second person first, then the newest.
SELECT remittance_id, partner_id, means, cents, received_on, state, declared_by, declared_at,
       decided_by, decided_at, returned_on, deposited_cents
FROM remittance
WHERE %(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s
ORDER BY state <> 'declared', received_on DESC, declared_at DESC, remittance_id
LIMIT %(limit)s;

-- one --
SELECT remittance_id, partner_id, means, cents, received_on, state, declared_by, declared_at,
       decided_by, decided_at, returned_on, deposited_cents
FROM remittance WHERE remittance_id = %(remittance_id)s;

-- undeposited --
-- What two people saw and no bank file shows yet, the oldest first.
SELECT remittance_id, partner_id, means, cents, received_on, state, declared_by, declared_at,
       decided_by, decided_at, returned_on, deposited_cents
FROM remittance
WHERE state = 'approved' AND deposited_cents < cents
ORDER BY received_on, declared_at, remittance_id;

-- deposited --
-- What the bank shows of them, sent back or not, the newest first.
SELECT remittance_id, partner_id, means, cents, received_on, state, declared_by, declared_at,
       decided_by, decided_at, returned_on, deposited_cents
FROM remittance
WHERE deposited_cents > 0
ORDER BY received_on DESC, declared_at DESC, remittance_id
LIMIT %(limit)s;

-- waiting --
-- How many wait for a second person.
SELECT count(*) FROM remittance WHERE state = 'declared';
