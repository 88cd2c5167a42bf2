-- table --
-- One row a closed statement, with what came in for it, what was written off, and what a credit of
-- the partner's paid of it, or its own credit paid elsewhere.
CREATE TABLE statement (
    statement_id      uuid   PRIMARY KEY,
    partner_id        uuid   NOT NULL,
    number            int    NOT NULL,
    first_on          date   NOT NULL,
    last_on           date   NOT NULL,
    through_position  bigint NOT NULL,
    lines             int    NOT NULL,
    lines_sha256      text   NOT NULL,
    parts             jsonb  NOT NULL,
    owed_cents        bigint NOT NULL,
    reference         text   NOT NULL,
    due_on            date   NOT NULL,
    closed_by         text   NOT NULL,
    closed_at         timestamptz NOT NULL,
    banked_cents      bigint NOT NULL DEFAULT 0,
    written_off_cents bigint NOT NULL DEFAULT 0,
    set_off_cents     bigint NOT NULL DEFAULT 0,
    left_cents        bigint GENERATED ALWAYS AS
                          (owed_cents - banked_cents - written_off_cents - set_off_cents) STORED,
    settled_on        date,
    lacking_since     date,
    reminders         int    NOT NULL DEFAULT 0,
    reminded_on       date,
    write_off         jsonb,
    overdue_noted     boolean NOT NULL DEFAULT false,
    UNIQUE (partner_id, number)
);
CREATE INDEX statement_reference_idx ON statement (reference);

-- What was given on each day of a statement, less what was given back.
CREATE TABLE statement_day (
    statement_id uuid,
    day          date,
    cents        bigint NOT NULL,
    PRIMARY KEY (statement_id, day)
);

-- Every movement of money that names a statement, where its event stands in the feed.
CREATE TABLE statement_money (
    statement_id uuid,
    position     bigint,
    place        int,
    means        text   NOT NULL,
    day          date   NOT NULL,
    cents        bigint NOT NULL,
    other_id     uuid,
    PRIMARY KEY (statement_id, position, place)
);

-- What each card payment of a statement paid, for its refunds and disputes do not say.
CREATE TABLE statement_card (
    payment_id   uuid PRIMARY KEY,
    statement_id uuid NOT NULL
);

-- close --
INSERT INTO statement (statement_id, partner_id, number, first_on, last_on, through_position, lines,
                       lines_sha256, parts, owed_cents, reference, due_on, closed_by, closed_at,
                       settled_on)
SELECT statement_id, partner_id, number, first_on, last_on, through_position, lines, lines_sha256,
       parts, owed_cents, reference, due_on, closed_by, recorded_at,
       CASE WHEN owed_cents <= 0 THEN closed_on END
FROM jsonb_to_recordset(%(closed)s::jsonb) AS c (
    statement_id uuid, partner_id uuid, number int, first_on date, last_on date,
    through_position bigint, lines int, lines_sha256 text, parts jsonb, owed_cents bigint,
    reference text, due_on date, closed_by text, recorded_at timestamptz, closed_on date);

-- days --
INSERT INTO statement_day (statement_id, day, cents)
SELECT c.statement_id, d.day, d.cents
FROM jsonb_to_recordset(%(closed)s::jsonb) AS c (statement_id uuid, days jsonb),
     jsonb_to_recordset(c.days) AS d (day date, cents bigint);

-- remind --
UPDATE statement SET reminders = %(level)s, reminded_on = %(reminded_on)s
WHERE statement_id = %(statement_id)s;

-- write_off --
-- The write-off that waits for a second person; none once it was approved or discarded.
UPDATE statement SET write_off = %(write_off)s::jsonb WHERE statement_id = %(statement_id)s;

-- note_overdue --
-- Whether the partner's standing knows that this statement is overdue.
UPDATE statement SET overdue_noted = %(overdue)s WHERE statement_id = %(statement_id)s;

-- cards --
INSERT INTO statement_card (payment_id, statement_id)
SELECT * FROM unnest(%(payment_id)s::uuid[], %(statement_id)s::uuid[])
ON CONFLICT (payment_id) DO NOTHING;

-- paid_by_card --
-- The movements of card payments that paid a statement.
INSERT INTO statement_money (statement_id, position, place, means, day, cents)
SELECT c.statement_id, m.position, 0, 'card', m.day, m.cents
FROM unnest(%(payment_id)s::uuid[], %(position)s::bigint[], %(day)s::date[], %(cents)s::bigint[])
    AS m (payment_id, position, day, cents)
JOIN statement_card AS c ON c.payment_id = m.payment_id
RETURNING statement_id::text;

-- money --
INSERT INTO statement_money (statement_id, position, place, means, day, cents, other_id)
SELECT * FROM unnest(%(statement_id)s::uuid[], %(position)s::bigint[], %(place)s::int[],
                     %(means)s::text[], %(day)s::date[], %(cents)s::bigint[],
                     %(other_id)s::uuid[]);

-- settle --
-- What some statements got, anew from all their money. One is settled on the day of the movement
-- since which it never lacked a cent, as the bank's own days tell; one that was whole before lacks
-- since the movement that took a cent of it back. What its own credit paid elsewhere was never
-- needed here.
WITH money AS (
    SELECT m.*, s.owed_cents, row_number() OVER in_order AS number,
           coalesce(sum(m.cents) FILTER (WHERE m.means <> 'credit') OVER in_order, 0)
               AS running_cents
    FROM statement_money AS m
    JOIN statement AS s ON s.statement_id = m.statement_id
    WHERE m.statement_id = ANY(%(statement_id)s::uuid[])
    WINDOW in_order AS (PARTITION BY m.statement_id ORDER BY m.day, m.position, m.place)
), lacking AS (
    SELECT statement_id, coalesce(max(number) FILTER (WHERE running_cents < owed_cents), 0) AS last,
           max(number) FILTER (WHERE running_cents >= owed_cents) AS last_whole
    FROM money
    GROUP BY statement_id
), got AS (
    SELECT m.statement_id,
           coalesce(sum(cents) FILTER (WHERE means IN ('transfer', 'remittance', 'card')), 0)::bigint
               AS banked_cents,
           coalesce(sum(cents) FILTER (WHERE means = 'write_off'), 0)::bigint AS written_off_cents,
           coalesce(sum(cents) FILTER (WHERE means IN ('set_off', 'credit')), 0)::bigint
               AS set_off_cents,
           min(day) FILTER (WHERE number > last AND means <> 'credit') AS since,
           min(day) FILTER (WHERE number > last_whole) AS lacking_since
    FROM money AS m
    JOIN lacking AS l ON l.statement_id = m.statement_id
    GROUP BY m.statement_id
)
UPDATE statement AS s
SET banked_cents = got.banked_cents, written_off_cents = got.written_off_cents,
    set_off_cents = got.set_off_cents,
    settled_on = CASE WHEN s.owed_cents
                           <= got.banked_cents + got.written_off_cents + got.set_off_cents
                      THEN coalesce(got.since, (s.closed_at AT TIME ZONE 'Europe/Paris')::date) END,
    lacking_since = got.lacking_since
FROM got
WHERE s.statement_id = got.statement_id;

-- found --
-- Statements by whichever of these is asked for, the newest first.
SELECT * FROM statement
WHERE (%(statement_id)s::uuid IS NULL OR statement_id = %(statement_id)s::uuid)
  AND (%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s::uuid)
  AND (%(number)s::int IS NULL OR number = %(number)s::int)
  AND (%(reference)s::text[] IS NULL OR reference = ANY(%(reference)s::text[]))
ORDER BY closed_at DESC, number DESC, statement_id;

-- outstanding --
-- Statements that are not settled, the longest due first.
SELECT * FROM statement
WHERE left_cents > 0
ORDER BY due_on, partner_id, number;

-- overdue_to_note --
-- Statements that are overdue, or are no more, while the partner's standing does not know it yet.
-- A credit that is not set off yet stands for what the same partner owes elsewhere, of that which
-- fell due first. Where a statement gave another what it has not got any more, nothing is said
-- before that is taken back: it would be owed since its own due day.
WITH debt AS (
    SELECT statement_id,
           sum(greatest(left_cents, 0)) OVER in_order > sum(greatest(-left_cents, 0)) OVER whole
               AS uncovered,
           bool_or(set_off_cents < 0 AND left_cents > 0) OVER whole AS unsettled
    FROM statement
    WINDOW whole AS (PARTITION BY partner_id),
           in_order AS (PARTITION BY partner_id ORDER BY due_on, number)
)
SELECT s.* FROM statement AS s
JOIN debt AS d USING (statement_id)
WHERE NOT d.unsettled
  AND s.overdue_noted <> (s.left_cents > 0 AND d.uncovered AND s.due_on < %(on)s::date)
ORDER BY s.due_on, s.statement_id;

-- newest --
SELECT * FROM statement ORDER BY closed_at DESC, number DESC, statement_id LIMIT %(limit)s;

-- of_line --
-- The first statement that reaches a line of a partner.
SELECT * FROM statement
WHERE partner_id = %(partner_id)s AND through_position >= %(position)s AND last_on >= %(day)s
ORDER BY number
LIMIT 1;

-- before --
-- How far the statement before one of a partner reached.
SELECT through_position, last_on FROM statement
WHERE partner_id = %(partner_id)s AND number = %(number)s;

-- money_of --
SELECT m.means, m.day, m.cents, o.number AS other_number
FROM statement_money AS m
LEFT JOIN statement AS o ON o.statement_id = m.other_id
WHERE m.statement_id = %(statement_id)s
ORDER BY m.day, m.position, m.place;

-- days_of --
SELECT day, cents FROM statement_day WHERE statement_id = %(statement_id)s ORDER BY day;

-- ageing --
-- What each partner owes on statements, by how many days ago that fell due.
SELECT partner_id,
       coalesce(sum(cents) FILTER (WHERE age < 0), 0)::bigint AS not_due_cents,
       coalesce(sum(cents) FILTER (WHERE age BETWEEN 0 AND 30), 0)::bigint AS to_30_cents,
       coalesce(sum(cents) FILTER (WHERE age BETWEEN 31 AND 60), 0)::bigint AS to_60_cents,
       coalesce(sum(cents) FILTER (WHERE age BETWEEN 61 AND 90), 0)::bigint AS to_90_cents,
       coalesce(sum(cents) FILTER (WHERE age > 90), 0)::bigint AS over_90_cents,
       min(due_on) AS oldest_due_on
FROM (
    SELECT partner_id, due_on, %(on)s::date - due_on AS age, left_cents AS cents
    FROM statement
    WHERE left_cents > 0
) AS debt
GROUP BY partner_id
ORDER BY oldest_due_on, partner_id;

-- credits --
-- What partners paid or were given back beyond what their statements asked for.
SELECT partner_id, sum(-left_cents)::bigint AS cents
FROM statement
WHERE left_cents < 0
GROUP BY partner_id;

-- to_set_off --
-- All statements of the partners of which a credit waits beside a debt, or which gave another what
-- they have not got any more, or got what they do not need; with the money that came for each, and
-- the day as of which that is so.
WITH found AS (
    SELECT partner_id FROM statement
    WHERE %(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s::uuid
    GROUP BY partner_id
    HAVING (bool_or(left_cents > 0) AND bool_or(left_cents < 0))
        OR bool_or(set_off_cents < 0 AND left_cents > 0)
        OR bool_or(set_off_cents > 0 AND left_cents < 0)
)
SELECT s.partner_id, s.statement_id, s.banked_cents,
       greatest((s.closed_at AT TIME ZONE 'Europe/Paris')::date, max(m.day)) AS as_of
FROM found
JOIN statement AS s USING (partner_id)
LEFT JOIN statement_money AS m
    ON m.statement_id = s.statement_id AND m.means NOT IN ('set_off', 'credit')
GROUP BY s.statement_id
ORDER BY s.partner_id, s.number;
