-- table --
-- What sponsors promised, and what became of it. A pledge's banked cents are all bank transactions
-- matched with it; those of a call are the pledge's, oldest call first.
CREATE TABLE pledge (
    pledge_id       uuid   PRIMARY KEY,
    sponsor         text   NOT NULL,
    cents           bigint NOT NULL CHECK (cents > 0),
    pledged_on      date   NOT NULL,
    round_id        uuid,
    called_cents    bigint NOT NULL DEFAULT 0,
    used_cents      bigint NOT NULL DEFAULT 0,
    withdrawn_cents bigint NOT NULL DEFAULT 0,
    banked_cents    bigint NOT NULL DEFAULT 0
);
CREATE INDEX pledge_sponsor ON pledge (sponsor);

CREATE TABLE pledge_call (
    call_id   uuid   PRIMARY KEY,
    pledge_id uuid   NOT NULL,
    number    bigint NOT NULL,
    cents     bigint NOT NULL CHECK (cents > 0),
    reference text   NOT NULL,
    due_on    date   NOT NULL,
    called_on date   NOT NULL
);
CREATE INDEX pledge_call_reference ON pledge_call (reference);

CREATE TABLE pledge_use (
    pledge_id uuid,
    round_id  uuid,
    cents     bigint NOT NULL CHECK (cents > 0),
    used_on   date   NOT NULL,
    PRIMARY KEY (pledge_id, round_id)
);

-- Rounds whose definition names a sponsor; one that names none has no row.
CREATE TABLE matched_round (
    round_id      uuid   PRIMARY KEY,
    title         text   NOT NULL,
    sponsor       text   NOT NULL,
    cap_cents     bigint NOT NULL,
    state         text   NOT NULL,
    matched_cents bigint
);

-- make --
INSERT INTO pledge (pledge_id, sponsor, cents, pledged_on, round_id)
VALUES (%(pledge_id)s, %(sponsor)s, %(cents)s, %(pledged_on)s, %(round_id)s)
ON CONFLICT (pledge_id) DO NOTHING;

-- call --
INSERT INTO pledge_call (call_id, pledge_id, number, cents, reference, due_on, called_on)
VALUES (%(call_id)s, %(pledge_id)s,
        (SELECT count(*) + 1 FROM pledge_call WHERE pledge_id = %(pledge_id)s),
        %(cents)s, %(reference)s, %(due_on)s, %(on)s);

-- called --
UPDATE pledge SET called_cents = called_cents + %(cents)s WHERE pledge_id = %(pledge_id)s;

-- use --
INSERT INTO pledge_use (pledge_id, round_id, cents, used_on)
VALUES (%(pledge_id)s, %(round_id)s, %(cents)s, %(on)s);

-- used --
UPDATE pledge SET used_cents = used_cents + %(cents)s WHERE pledge_id = %(pledge_id)s;

-- withdraw --
UPDATE pledge SET withdrawn_cents = withdrawn_cents + %(cents)s WHERE pledge_id = %(pledge_id)s;

-- bank --
-- Adds what bank transactions were matched with them, less what was unmatched.
UPDATE pledge AS p SET banked_cents = p.banked_cents + b.cents
FROM unnest(%(pledge_id)s::uuid[], %(cents)s::bigint[]) AS b (pledge_id, cents)
WHERE p.pledge_id = b.pledge_id;

-- draft --
INSERT INTO matched_round (round_id, title, sponsor, cap_cents, state)
VALUES (%(round_id)s, %(title)s, %(sponsor)s, %(cap_cents)s, 'drafted')
ON CONFLICT (round_id) DO UPDATE
SET title = excluded.title, sponsor = excluded.sponsor, cap_cents = excluded.cap_cents;

-- undraft --
DELETE FROM matched_round WHERE round_id = %(round_id)s;

-- move --
UPDATE matched_round SET state = %(state)s, matched_cents = coalesce(%(matched_cents)s, matched_cents)
WHERE round_id = %(round_id)s;

-- recount --
UPDATE matched_round SET state = 'opened', matched_cents = NULL WHERE round_id = %(round_id)s;

-- every --
-- The newest first.
SELECT pledge_id, sponsor, cents, pledged_on, round_id, called_cents, used_cents, withdrawn_cents,
       banked_cents
FROM pledge ORDER BY pledged_on DESC, pledge_id;

-- one --
SELECT pledge_id, sponsor, cents, pledged_on, round_id, called_cents, used_cents, withdrawn_cents,
       banked_cents
FROM pledge WHERE pledge_id = %(pledge_id)s;

-- of_sponsor --
-- The oldest first: rounds take from them in this order.
SELECT pledge_id, sponsor, cents, pledged_on, round_id, called_cents, used_cents, withdrawn_cents,
       banked_cents
FROM pledge WHERE sponsor = %(sponsor)s ORDER BY pledged_on, pledge_id;

-- calls --
-- Calls of some pledges, or those of some references, and what of each is not paid yet: money
-- pays the oldest call first, and nobody is asked for what was withdrawn.
SELECT call_id, pledge_id, sponsor, number, cents, reference, due_on, called_on,
       least(greatest(through - banked_cents, 0), cents, greatest(promised - banked_cents, 0))
           AS outstanding_cents
FROM (
    SELECT c.*, p.sponsor, p.banked_cents, p.cents - p.withdrawn_cents AS promised,
           sum(c.cents) OVER (PARTITION BY c.pledge_id ORDER BY c.number)::bigint AS through
    FROM pledge_call AS c JOIN pledge AS p USING (pledge_id)
) AS call
WHERE pledge_id = ANY(%(pledge_ids)s) OR reference = ANY(%(references)s)
ORDER BY due_on, number, call_id;

-- uses --
SELECT pledge_id, round_id, cents, used_on FROM pledge_use
WHERE pledge_id = %(pledge_id)s ORDER BY used_on, round_id;

-- rounds --
-- Rounds of a sponsor, or of all; what they took so far.
SELECT round_id, title, sponsor, cap_cents, state, matched_cents,
       coalesce((SELECT sum(cents) FROM pledge_use AS u WHERE u.round_id = m.round_id), 0)::bigint
           AS used_cents
FROM matched_round AS m
WHERE %(sponsor)s::text IS NULL OR sponsor = %(sponsor)s
ORDER BY round_id;
