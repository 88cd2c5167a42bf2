-- table --
-- One row a round, as far as it came. `definition` is the canonical JSON, to the letter.
CREATE TABLE round_row (
    round_id          uuid        PRIMARY KEY,
    state             text        NOT NULL CHECK (state IN (
        'drafted', 'approved', 'open', 'closed', 'tallied', 'adopted', 'awarded', 'cancelled')),
    definition        text        NOT NULL,
    definition_sha256 text        NOT NULL,
    sealed            boolean     NOT NULL,
    closes_at         timestamptz NOT NULL,
    drafted_on        date        NOT NULL,
    approvals         int         NOT NULL DEFAULT 0,
    opened_on         date,
    struck            uuid[]      NOT NULL DEFAULT '{}',
    closed_on         date,
    tally             jsonb,
    tallied_on        date,
    result_approvals  int         NOT NULL DEFAULT 0,
    sent_back         jsonb       NOT NULL DEFAULT '[]',
    decided_on        date,
    cancelled_for     text,
    carried_to        uuid,
    withheld          jsonb       NOT NULL DEFAULT '[]'
);

-- draft --
-- A draft anew is another definition, which nobody has approved yet.
INSERT INTO round_row (round_id, state, definition, definition_sha256, sealed, closes_at, drafted_on)
VALUES (%(round_id)s, 'drafted', %(definition)s, %(sha256)s, %(sealed)s, %(closes_at)s, %(day)s)
ON CONFLICT (round_id) DO UPDATE
SET state = 'drafted', definition = excluded.definition, sealed = excluded.sealed,
    definition_sha256 = excluded.definition_sha256, closes_at = excluded.closes_at,
    drafted_on = excluded.drafted_on, approvals = 0;

-- approve --
UPDATE round_row
SET approvals = approvals + 1, state = CASE WHEN approvals >= 1 THEN 'approved' ELSE state END
WHERE round_id = %(round_id)s;

-- open --
UPDATE round_row SET state = 'open', opened_on = %(day)s WHERE round_id = %(round_id)s;

-- strike --
UPDATE round_row SET struck = struck || %(project_id)s::uuid WHERE round_id = %(round_id)s;

-- close --
UPDATE round_row SET state = 'closed', closed_on = %(day)s WHERE round_id = %(round_id)s;

-- tally --
UPDATE round_row
SET state = 'tallied', tally = %(tally)s::jsonb, tallied_on = %(day)s, result_approvals = 0
WHERE round_id = %(round_id)s;

-- approve_result --
UPDATE round_row SET result_approvals = result_approvals + 1 WHERE round_id = %(round_id)s;

-- send_back --
-- A result that was sent back is no result: only its hash and the reason stay.
UPDATE round_row
SET state = 'closed', tally = NULL, tallied_on = NULL, result_approvals = 0,
    sent_back = sent_back || %(sent_back)s::jsonb
WHERE round_id = %(round_id)s;

-- adopt --
UPDATE round_row SET state = 'adopted', decided_on = %(day)s WHERE round_id = %(round_id)s;

-- cancel --
UPDATE round_row SET state = 'cancelled', decided_on = %(day)s, cancelled_for = %(reason)s
WHERE round_id = %(round_id)s;

-- carry --
UPDATE round_row SET carried_to = %(to_round_id)s WHERE round_id = %(round_id)s;

-- award --
UPDATE round_row SET state = 'awarded', withheld = %(withheld)s::jsonb WHERE round_id = %(round_id)s;

-- every --
SELECT * FROM round_row ORDER BY closes_at DESC, round_id;

-- one --
SELECT * FROM round_row WHERE round_id = %(round_id)s;

-- of_project --
SELECT * FROM round_row
WHERE opened_on IS NOT NULL
  AND definition::jsonb -> 'projects' @> jsonb_build_array(
    jsonb_build_object('project_id', %(project_id)s::text))
ORDER BY closes_at DESC, round_id;
