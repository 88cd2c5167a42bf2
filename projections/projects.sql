-- table --
-- One row for each project, its grants, and how many gifts named it at a till.
CREATE TABLE project (
    project_id      uuid   PRIMARY KEY,
    state           text   NOT NULL DEFAULT 'drafted' CHECK (state IN (
        'drafted', 'published', 'in_round', 'granted', 'under_way', 'completed', 'abandoned')),
    idea_ids        uuid[] NOT NULL,
    drafted_on      date   NOT NULL,
    changed_on      date   NOT NULL,
    number          int    NOT NULL DEFAULT 0,
    document_sha256 text,
    theme           text,
    place           text,
    goal_cents      bigint,
    granted_cents   bigint NOT NULL DEFAULT 0 CHECK (granted_cents >= 0),
    rounds          uuid[] NOT NULL DEFAULT '{}',
    published_on    date,
    started_on      date,
    ended_on        date
);

CREATE TABLE project_grant (
    project_id    uuid   NOT NULL,
    round_id      uuid   NOT NULL,
    amount_cents  bigint NOT NULL CHECK (amount_cents > 0),
    result_sha256 text   NOT NULL,
    awarded_on    date   NOT NULL,
    PRIMARY KEY (project_id, round_id)
);

CREATE TABLE project_named (
    project_id uuid   PRIMARY KEY,
    gifts      bigint NOT NULL
);

-- draft --
INSERT INTO project (project_id, idea_ids, drafted_on, changed_on)
VALUES (%(project_id)s, %(idea_ids)s, %(day)s, %(day)s)
ON CONFLICT (project_id) DO NOTHING;

-- sheet --
UPDATE project
SET number = %(number)s, document_sha256 = %(document_sha256)s, theme = %(theme)s,
    place = %(place)s, goal_cents = %(goal_cents)s, changed_on = %(day)s
WHERE project_id = %(project_id)s;

-- publish --
UPDATE project SET published_on = %(day)s WHERE project_id = %(project_id)s;

-- enter --
UPDATE project SET rounds = array_append(rounds, %(round_id)s) WHERE project_id = %(project_id)s;

-- leave --
UPDATE project SET rounds = array_remove(rounds, %(round_id)s) WHERE project_id = %(project_id)s;

-- award --
INSERT INTO project_grant (project_id, round_id, amount_cents, result_sha256, awarded_on)
VALUES (%(project_id)s, %(round_id)s, %(amount_cents)s, %(result_sha256)s, %(day)s)
ON CONFLICT (project_id, round_id) DO NOTHING;

-- add_grant --
UPDATE project SET granted_cents = granted_cents + %(amount_cents)s
WHERE project_id = %(project_id)s;

-- start --
UPDATE project SET started_on = %(day)s WHERE project_id = %(project_id)s;

-- end --
UPDATE project SET state = %(state)s, ended_on = %(day)s WHERE project_id = %(project_id)s;

-- settle --
-- What the facts of a project that has not ended come to.
UPDATE project
SET changed_on = %(day)s,
    state = CASE
        WHEN ended_on IS NOT NULL THEN state
        WHEN started_on IS NOT NULL THEN 'under_way'
        WHEN cardinality(rounds) > 0 THEN 'in_round'
        WHEN granted_cents > 0 THEN 'granted'
        WHEN published_on IS NOT NULL THEN 'published'
        ELSE 'drafted'
    END
WHERE project_id = %(project_id)s;

-- name --
INSERT INTO project_named (project_id, gifts)
SELECT * FROM unnest(%(project_ids)s::uuid[], %(gifts)s::bigint[])
ON CONFLICT (project_id) DO UPDATE SET gifts = project_named.gifts + excluded.gifts;

-- listed --
-- Projects with the document of their newest sheet, those that changed last on top.
SELECT p.*, w.words, coalesce(n.gifts, 0) AS gifts_naming
FROM project AS p
LEFT JOIN wording AS w ON w.sha256 = p.document_sha256
LEFT JOIN project_named AS n USING (project_id)
WHERE (%(project_id)s::uuid IS NULL OR p.project_id = %(project_id)s)
  AND (%(drafts)s OR p.published_on IS NOT NULL)
  AND (%(theme)s::text IS NULL OR p.theme = %(theme)s)
  AND (%(place)s::text IS NULL OR p.place = %(place)s)
  AND (%(state)s::text IS NULL OR p.state = %(state)s)
ORDER BY p.state IN ('completed', 'abandoned'), p.published_on DESC NULLS FIRST, p.project_id
LIMIT %(limit)s OFFSET %(offset)s;

-- grants --
SELECT round_id, amount_cents, result_sha256, awarded_on FROM project_grant
WHERE project_id = %(project_id)s ORDER BY awarded_on, round_id;

-- unknown_named --
-- Gifts that named at a till a project which is not published.
SELECT coalesce(sum(gifts), 0)::bigint AS gifts FROM project_named
WHERE project_id NOT IN (SELECT project_id FROM project WHERE published_on IS NOT NULL);
