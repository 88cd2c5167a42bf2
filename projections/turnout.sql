-- table --
-- One row a round that was opened, and one a project that ballots of a live round name. A sealed
-- round has no rows of picks at all: no table to leak from.
CREATE TABLE turnout (
    round_id uuid    PRIMARY KEY,
    sealed   boolean NOT NULL,
    ballots  bigint  NOT NULL DEFAULT 0
);

CREATE TABLE live_pick (
    round_id   uuid,
    project_id uuid,
    ballots    bigint NOT NULL,
    PRIMARY KEY (round_id, project_id)
);

-- open --
INSERT INTO turnout (round_id, sealed) VALUES (%(round_id)s, %(sealed)s)
ON CONFLICT (round_id) DO NOTHING;

-- count --
UPDATE turnout AS t SET ballots = t.ballots + c.ballots
FROM unnest(%(round_id)s::uuid[], %(ballots)s::bigint[]) AS c (round_id, ballots)
WHERE t.round_id = c.round_id;

-- pick --
INSERT INTO live_pick AS p (round_id, project_id, ballots)
SELECT c.round_id, c.project_id, c.ballots
FROM unnest(%(round_id)s::uuid[], %(project_id)s::uuid[], %(ballots)s::bigint[])
    AS c (round_id, project_id, ballots)
JOIN turnout AS t ON t.round_id = c.round_id AND NOT t.sealed
ON CONFLICT (round_id, project_id) DO UPDATE SET ballots = p.ballots + excluded.ballots;

-- every --
SELECT round_id, sealed, ballots FROM turnout;

-- picks --
SELECT round_id, project_id, ballots FROM live_pick WHERE ballots > 0 ORDER BY project_id;
