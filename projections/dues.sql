-- table --
-- Where the gifts and reversals of each partner stand in the feed, packed by block of the feed: a
-- row a line would cost a rebuild many times as much. `positions` are eight bytes each; what stands
-- there is read from the events themselves when a statement is closed.
CREATE TABLE due_block (
    partner_id uuid   NOT NULL,
    block      bigint NOT NULL,
    last_on    date   NOT NULL,
    positions  bytea  STORAGE EXTERNAL NOT NULL,
    cents      bigint NOT NULL,
    PRIMARY KEY (partner_id, block)
);

-- What each partner was given less what was given back, and what of it is on statements.
CREATE TABLE due_partner (
    partner_id       uuid   PRIMARY KEY,
    lines            bigint NOT NULL DEFAULT 0,
    cents            bigint NOT NULL DEFAULT 0,
    closed_lines     bigint NOT NULL DEFAULT 0,
    closed_cents     bigint NOT NULL DEFAULT 0,
    first_on         date,
    last_on          date,
    through_position bigint
);

-- pack --
-- Parameters are binary, because positions are. A block only ever grows at its end.
INSERT INTO due_block AS b (partner_id, block, last_on, positions, cents)
SELECT *
FROM unnest(%(partner_id)b::text[]::uuid[], %(block)b::bigint[], %(last_on)b::text[]::date[],
            %(positions)b::bytea[], %(cents)b::bigint[])
ON CONFLICT (partner_id, block) DO UPDATE
SET last_on = greatest(b.last_on, excluded.last_on), cents = b.cents + excluded.cents,
    positions = b.positions || excluded.positions;

-- add --
INSERT INTO due_partner AS p (partner_id, lines, cents, first_on)
SELECT *
FROM unnest(%(partner_id)b::text[]::uuid[], %(lines)b::bigint[], %(cents)b::bigint[],
            %(first_on)b::text[]::date[])
ON CONFLICT (partner_id) DO UPDATE
SET lines = p.lines + excluded.lines, cents = p.cents + excluded.cents,
    first_on = least(p.first_on, excluded.first_on);

-- close --
INSERT INTO due_partner AS p
    (partner_id, closed_lines, closed_cents, last_on, through_position)
VALUES (%(partner_id)s, %(lines)s, %(cents)s, %(last_on)s, %(through_position)s)
ON CONFLICT (partner_id) DO UPDATE
SET closed_lines = p.closed_lines + excluded.closed_lines,
    closed_cents = p.closed_cents + excluded.closed_cents,
    last_on = excluded.last_on, through_position = excluded.through_position;

-- open --
-- The partners with lines on no statement yet.
SELECT partner_id, lines - closed_lines AS lines, cents - closed_cents AS cents, first_on, last_on
FROM due_partner
WHERE lines > closed_lines AND (%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s::uuid)
ORDER BY cents DESC, partner_id;

-- blocks --
-- The blocks that may hold what is within a reach and was not within the one before.
SELECT positions
FROM due_block
WHERE partner_id = %(partner_id)s AND block <= %(last_block)s
  AND (last_on > %(reached_on)s OR block >= %(reached_block)s)
ORDER BY block;

-- lines --
-- The gifts and reversals at some positions, as a page of the feed has them.
SELECT topic, count(*) AS events, max(notification_id) AS last,
       string_agg(int8send(notification_id), '' ORDER BY notification_id) AS positions,
       string_agg(state, ',' ORDER BY notification_id) AS states
FROM ledger_events
WHERE notification_id = ANY(%(positions)b::bigint[])
GROUP BY topic;

-- gifts --
-- The first events of some streams: the gifts that reversals gave back.
SELECT string_agg(state, ',') AS states
FROM ledger_events
WHERE originator_id = ANY(%(streams)b::uuid[]) AND originator_version = 1;
