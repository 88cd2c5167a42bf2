-- table --
-- One row for each ambassador, with how many shops and ballots she brought.
CREATE TABLE ambassador (
    ambassador_id uuid PRIMARY KEY,
    subject_id    uuid NOT NULL,
    account_id    uuid,
    code          text NOT NULL UNIQUE,
    named         boolean NOT NULL,
    enrolled_on   date NOT NULL,
    retired_on    date,
    shops         int  NOT NULL DEFAULT 0,
    ballots       int  NOT NULL DEFAULT 0
);

-- enrol --
INSERT INTO ambassador (ambassador_id, subject_id, account_id, code, named, enrolled_on)
VALUES (%(ambassador_id)s, %(subject_id)s, %(account_id)s, %(code)s, %(named)s, %(day)s)
ON CONFLICT (ambassador_id) DO NOTHING;

-- name --
UPDATE ambassador SET named = %(named)s WHERE ambassador_id = %(ambassador_id)s;

-- retire --
UPDATE ambassador SET named = false, retired_on = %(day)s WHERE ambassador_id = %(ambassador_id)s;

-- credit --
UPDATE ambassador SET shops = shops + %(shops)s, ballots = ballots + %(ballots)s
WHERE ambassador_id = %(ambassador_id)s;

-- listed --
-- Every ambassador, whoever brought most on top.
SELECT * FROM ambassador ORDER BY shops + ballots DESC, enrolled_on, ambassador_id;

-- of_code --
SELECT * FROM ambassador WHERE code = %(code)s;
