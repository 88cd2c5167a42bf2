-- Public halves of the keys that signed badges before the present one: what they signed still holds.
-- A key that leaked is not kept here, so that nothing it signs holds any more.
CREATE TABLE badge_key_retired (
    multikey   text        PRIMARY KEY,
    retired_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
