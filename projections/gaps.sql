-- table --
-- The gifts that devices numbered, each with its link; what partners said of missing numbers; and
-- the highest numbers that closes of days laid claim to. `sound` tells whether a gift's hash is
-- that of its fields.
CREATE TABLE numbered_gift (
    till_id     uuid        NOT NULL,
    number      bigint      NOT NULL,
    donation_id uuid        NOT NULL,
    hash        text        NOT NULL,
    previous    text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    sound       boolean     NOT NULL,
    PRIMARY KEY (till_id, number, donation_id)
);

CREATE TABLE gap_explained (
    till_id      uuid        NOT NULL,
    first_number bigint      NOT NULL,
    last_number  bigint      NOT NULL,
    reason       text        NOT NULL,
    explained_at timestamptz NOT NULL,
    PRIMARY KEY (till_id, first_number, last_number)
);

CREATE TABLE number_claimed (
    till_id     uuid        NOT NULL,
    day         date        NOT NULL,
    last_number bigint      NOT NULL,
    closed_at   timestamptz NOT NULL,
    PRIMARY KEY (till_id, day)
);

-- add --
-- Adds one batch's gifts.
INSERT INTO numbered_gift (till_id, number, donation_id, hash, previous, occurred_at, sound)
SELECT *
FROM unnest(%(till_id)b::text[]::uuid[], %(number)b::bigint[], %(donation_id)b::text[]::uuid[],
            %(hash)b::text[], %(previous)b::text[], %(occurred_at)b::timestamptz[],
            %(sound)b::boolean[]);

-- explained --
-- A partner said why numbers are missing; said again, the newest reason counts.
INSERT INTO gap_explained (till_id, first_number, last_number, reason, explained_at)
VALUES (%(till_id)s, %(first_number)s, %(last_number)s, %(reason)s, %(at)s)
ON CONFLICT (till_id, first_number, last_number) DO UPDATE
SET reason = excluded.reason, explained_at = excluded.explained_at;

-- claimed --
-- A till closed a day and said the last number it gave on it.
INSERT INTO number_claimed (till_id, day, last_number, closed_at)
VALUES (%(till_id)s, %(day)s, %(last_number)s, %(at)s)
ON CONFLICT (till_id, day) DO UPDATE
SET last_number = excluded.last_number, closed_at = excluded.closed_at;

-- links --
-- Every numbered gift of one till.
SELECT number, hash, previous, occurred_at, sound
FROM numbered_gift
WHERE till_id = %(till_id)s
ORDER BY number, donation_id;

-- explanations --
SELECT first_number, last_number, reason, explained_at
FROM gap_explained
WHERE till_id = %(till_id)s
ORDER BY explained_at;

-- claims --
SELECT last_number, closed_at
FROM number_claimed
WHERE till_id = %(till_id)s
ORDER BY closed_at;

-- last_number --
SELECT coalesce(max(number), 0) AS last_number FROM numbered_gift WHERE till_id = %(till_id)s;
