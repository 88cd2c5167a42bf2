-- How far the count of a closed round is, for whoever waits for it; the count itself needs none of
-- this. A row that has not moved for a while is of a count that was killed: another may begin.
CREATE UNLOGGED TABLE round_count (
    round_id uuid        PRIMARY KEY,
    done     bigint      NOT NULL,
    total    bigint      NOT NULL,
    failed   text,
    moved_at timestamptz NOT NULL
);
