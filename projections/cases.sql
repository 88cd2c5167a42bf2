-- table --
-- What waits for somebody in the office: one row per case or complaint until it is closed; the
-- last day of each partner's newest certification; and one row per decision that was taken.
CREATE TABLE open_case (
    case_id     uuid PRIMARY KEY,
    partner_id  uuid NOT NULL,
    kind        text NOT NULL
        CHECK (kind IN ('application', 'renewal', 'sanction', 'appeal', 'complaint')),
    opened_on   date NOT NULL,
    due_on      date,
    topic       text,
    review_by   text,
    recommended text,
    number      int,
    measure     text,
    reason      text,
    first_on    date,
    last_on     date,
    proposed_by text,
    answered_on date
);

CREATE TABLE certified_until (
    partner_id  uuid PRIMARY KEY,
    valid_until date NOT NULL
);

CREATE TABLE decided_case (
    case_id     uuid NOT NULL,
    number      int NOT NULL,
    partner_id  uuid NOT NULL,
    kind        text NOT NULL,
    topic       text,
    measure     text,
    reason      text,
    first_on    date,
    last_on     date,
    proposed_by text,
    outcome     text NOT NULL,
    decided_by  text NOT NULL,
    decided_at  timestamptz NOT NULL,
    PRIMARY KEY (case_id, number)
);

CREATE INDEX ON decided_case (decided_at);

-- open --
INSERT INTO open_case (case_id, partner_id, kind, opened_on, due_on, topic)
VALUES (%(case_id)s, %(partner_id)s, %(kind)s, %(opened_on)s, %(due_on)s, %(topic)s)
ON CONFLICT (case_id) DO NOTHING;

-- review --
UPDATE open_case SET review_by = %(review_by)s, recommended = %(recommended)s
WHERE case_id = %(case_id)s;

-- propose --
UPDATE open_case
SET number = %(number)s, measure = %(measure)s, reason = %(reason)s, first_on = %(first_on)s,
    last_on = %(last_on)s, proposed_by = %(proposed_by)s
WHERE case_id = %(case_id)s;

-- reject --
UPDATE open_case
SET number = NULL, measure = NULL, reason = NULL, first_on = NULL, last_on = NULL,
    proposed_by = NULL
WHERE case_id = %(case_id)s;

-- decide --
-- What became of a case as it stands open; the number 0 is for what no proposal ended.
INSERT INTO decided_case
SELECT case_id, coalesce(number, 0), partner_id, kind, topic, measure, reason, first_on, last_on,
       proposed_by, %(outcome)s, %(decided_by)s, %(decided_at)s
FROM open_case WHERE case_id = %(case_id)s
ON CONFLICT (case_id, number) DO NOTHING;

-- note_void --
-- The proposals that go with the work of a person with a conflict.
INSERT INTO decided_case
SELECT case_id, number, partner_id, kind, topic, measure, reason, first_on, last_on,
       proposed_by, 'void', %(person)s, %(decided_at)s
FROM open_case
WHERE partner_id = %(partner_id)s AND %(person)s IN (review_by, proposed_by) AND number IS NOT NULL
ON CONFLICT (case_id, number) DO NOTHING;

-- void --
-- The work of a person with a conflict does not count: neither a review nor a proposal on it.
UPDATE open_case
SET number = NULL, measure = NULL, reason = NULL, first_on = NULL, last_on = NULL,
    proposed_by = NULL,
    recommended = CASE WHEN review_by = %(person)s THEN NULL ELSE recommended END,
    review_by = nullif(review_by, %(person)s)
WHERE partner_id = %(partner_id)s AND %(person)s IN (review_by, proposed_by);

-- answer --
UPDATE open_case SET answered_on = %(answered_on)s WHERE case_id = %(case_id)s;

-- close --
DELETE FROM open_case WHERE case_id = %(case_id)s;

-- certify --
INSERT INTO certified_until (partner_id, valid_until) VALUES (%(partner_id)s, %(valid_until)s)
ON CONFLICT (partner_id) DO UPDATE SET valid_until = excluded.valid_until;

-- decided --
-- What was decided since a day, the newest first.
SELECT d.*, p.name AS partner_name
FROM decided_case AS d LEFT JOIN partner AS p USING (partner_id)
WHERE d.decided_at >= %(since)s::date
ORDER BY d.decided_at DESC, d.case_id, d.number DESC
LIMIT %(limit)s;

-- of_partner --
-- What waits about one partner.
SELECT c.*, p.name AS partner_name, c.due_on < %(today)s AND c.answered_on IS NULL AS overdue
FROM open_case AS c LEFT JOIN partner AS p USING (partner_id)
WHERE c.partner_id = %(partner_id)s
ORDER BY c.opened_on, c.case_id;

-- reviews --
-- Applications that wait for a review.
SELECT c.*, p.name AS partner_name, false AS overdue
FROM open_case AS c LEFT JOIN partner AS p USING (partner_id)
WHERE c.kind IN ('application', 'renewal') AND c.review_by IS NULL
ORDER BY c.opened_on, c.case_id;

-- decisions --
-- Reviewed applications and appeals without a proposal.
SELECT c.*, p.name AS partner_name, false AS overdue
FROM open_case AS c LEFT JOIN partner AS p USING (partner_id)
WHERE c.number IS NULL
  AND (c.kind = 'appeal' OR c.kind IN ('application', 'renewal') AND c.review_by IS NOT NULL)
ORDER BY c.opened_on, c.case_id;

-- second_decisions --
-- Proposals of any kind that wait for the second person.
SELECT c.*, p.name AS partner_name, false AS overdue
FROM open_case AS c LEFT JOIN partner AS p USING (partner_id)
WHERE c.number IS NOT NULL
ORDER BY c.opened_on, c.case_id;

-- appeals --
SELECT c.*, p.name AS partner_name, false AS overdue
FROM open_case AS c LEFT JOIN partner AS p USING (partner_id)
WHERE c.kind = 'appeal'
ORDER BY c.opened_on, c.case_id;

-- complaints --
-- Complaints that are not closed, the one due first on top.
SELECT c.*, p.name AS partner_name, c.due_on < %(today)s AND c.answered_on IS NULL AS overdue
FROM open_case AS c LEFT JOIN partner AS p USING (partner_id)
WHERE c.kind = 'complaint'
ORDER BY c.answered_on IS NOT NULL, c.due_on, c.case_id;

-- renewals --
-- Certifications that end soon, or ended not long ago, and whose renewal nobody asked for yet.
SELECT u.partner_id AS case_id, u.partner_id, 'renewal' AS kind, s.since_on AS opened_on,
       u.valid_until AS due_on, NULL AS topic, NULL AS review_by, NULL AS recommended,
       NULL::int AS number, NULL AS measure, NULL AS reason, NULL::date AS first_on,
       NULL::date AS last_on, NULL AS proposed_by, NULL::date AS answered_on,
       p.name AS partner_name, u.valid_until < %(today)s AS overdue
FROM certified_until AS u
JOIN standing_period AS s
  ON s.partner_id = u.partner_id
 AND s.first_on <= %(today)s AND (s.last_on IS NULL OR s.last_on >= %(today)s)
LEFT JOIN partner AS p ON p.partner_id = u.partner_id
WHERE s.status NOT IN ('revoked', 'ended')
  AND u.valid_until BETWEEN %(today)s - %(given_up)s::int AND %(today)s + %(within)s::int
  AND NOT EXISTS (
      SELECT FROM open_case AS c
      WHERE c.partner_id = u.partner_id AND c.kind IN ('application', 'renewal'))
ORDER BY u.valid_until, u.partner_id;
