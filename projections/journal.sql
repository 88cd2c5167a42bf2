-- table --
-- The public list of events in blocks of 100 positions: each block holds one JSON line an event,
-- ready to be served. A row an event would cost a rebuild three times as much. Lines are kept
-- uncompressed, because compressing them costs more than writing them.
CREATE TABLE journal_block (
    block  bigint PRIMARY KEY,
    events int    NOT NULL CHECK (events > 0),
    lines  text   STORAGE EXTERNAL NOT NULL
) WITH (fillfactor = 70);

-- The partners that let their own figures be published, at the position this model stands at.
CREATE TABLE journal_consent (
    partner_id uuid PRIMARY KEY
);

-- consenting --
SELECT partner_id::text FROM journal_consent WHERE partner_id = ANY(%(partner_ids)s::uuid[]);

-- consented --
INSERT INTO journal_consent (partner_id)
SELECT * FROM unnest(%(partner_ids)s::uuid[])
ON CONFLICT (partner_id) DO NOTHING;

-- withdrawn --
DELETE FROM journal_consent WHERE partner_id = ANY(%(partner_ids)s::uuid[]);

-- append --
-- Parameters are binary: as text, every quote of every line would be escaped one by one.
-- Adds new lines to the block they fall in; a block only ever grows at its end.
INSERT INTO journal_block AS j (block, events, lines)
SELECT * FROM unnest(%(block)b::bigint[], %(events)b::int[], %(lines)b::text[])
ON CONFLICT (block) DO UPDATE
SET events = j.events + excluded.events, lines = j.lines || excluded.lines;

-- before --
-- Blocks from the one that holds a position backwards, as many as hold enough lines.
SELECT block, events, lines
FROM journal_block
WHERE block <= %(block)s
ORDER BY block DESC
LIMIT %(blocks)s;
