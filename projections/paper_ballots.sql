-- table --
-- Paper ballots that one person entered and that wait for a second one: not what is on them.
CREATE TABLE paper_ballot (
    ballot_id  uuid   PRIMARY KEY,
    round_id   uuid   NOT NULL,
    entered_by text   NOT NULL,
    entered_on date   NOT NULL,
    position   bigint NOT NULL
);

-- enter --
INSERT INTO paper_ballot (ballot_id, round_id, entered_by, entered_on, position)
VALUES (%(ballot_id)s, %(round_id)s, %(entered_by)s, %(entered_on)s, %(position)s)
ON CONFLICT (ballot_id) DO UPDATE
SET entered_by = excluded.entered_by, entered_on = excluded.entered_on,
    position = excluded.position;

-- settle --
-- They count now, or are void.
DELETE FROM paper_ballot WHERE ballot_id = ANY(%(ballot_ids)s);

-- waiting --
-- Those of some rounds, the oldest first.
SELECT ballot_id, round_id, entered_by, entered_on FROM paper_ballot
WHERE round_id = ANY(%(round_ids)s) ORDER BY position LIMIT %(limit)s;

-- count --
-- How many wait in one round; after its close, how many were never confirmed.
SELECT count(*) FROM paper_ballot WHERE round_id = %(round_id)s;

-- one --
SELECT ballot_id, round_id, entered_by, entered_on FROM paper_ballot
WHERE ballot_id = %(ballot_id)s;
