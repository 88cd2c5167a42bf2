-- table --
-- One row per grant or renewal. `superseded_on` is the first day of the certification that took
-- the place of this one after it had come to an end.
CREATE TABLE badge_grant (
    place         bigint      PRIMARY KEY,
    partner_id    uuid        NOT NULL,
    position      bigint      NOT NULL UNIQUE,
    granted_at    timestamptz NOT NULL,
    valid_from    date        NOT NULL,
    valid_until   date        NOT NULL,
    superseded_on date
);
CREATE INDEX badge_grant_partner_idx ON badge_grant (partner_id, position);

-- supersede --
UPDATE badge_grant SET superseded_on = %(valid_from)s
WHERE partner_id = %(partner_id)s AND superseded_on IS NULL;

-- grant --
INSERT INTO badge_grant (place, partner_id, position, granted_at, valid_from, valid_until)
SELECT count(*), %(partner_id)s, %(position)s, %(granted_at)s, %(valid_from)s, %(valid_until)s
FROM badge_grant;

-- of_partner --
-- The newest grant that had begun on a day; before any had, the first that will.
SELECT place, partner_id, position, granted_at, valid_from, valid_until
FROM badge_grant
WHERE partner_id = %(partner_id)s
ORDER BY valid_from <= %(on)s DESC,
         CASE WHEN valid_from <= %(on)s THEN -position ELSE position END
LIMIT 1;

-- revocation --
-- Badges whose certification is revoked or ended, or was before another took its place.
SELECT g.place
FROM badge_grant AS g
JOIN standing_period AS s USING (partner_id)
WHERE s.first_on <= %(on)s AND (s.last_on IS NULL OR s.last_on >= %(on)s)
  AND g.valid_from <= %(on)s
  AND (s.status IN ('revoked', 'ended') OR g.superseded_on <= %(on)s)
ORDER BY g.place;

-- suspension --
-- Badges in their own days of partners that are not active, for whatever reason but those above.
SELECT g.place
FROM badge_grant AS g
JOIN standing_period AS s USING (partner_id)
WHERE s.first_on <= %(on)s AND (s.last_on IS NULL OR s.last_on >= %(on)s)
  AND %(on)s BETWEEN g.valid_from AND g.valid_until
  AND s.status NOT IN ('active', 'revoked', 'ended')
  AND (g.superseded_on IS NULL OR g.superseded_on > %(on)s)
ORDER BY g.place;
