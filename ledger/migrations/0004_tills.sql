-- When each till was last heard of: known to the minute, of no matter to the ledger.
CREATE TABLE till_seen (
    till_id uuid        PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
