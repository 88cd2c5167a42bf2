-- table --
-- One row for each idea: where it stands, and what it became.
CREATE TABLE idea (
    idea_id     uuid PRIMARY KEY,
    subject_id  uuid NOT NULL,
    stage       text NOT NULL DEFAULT 'proposed'
        CHECK (stage IN ('proposed', 'refused', 'accepted', 'evaluated', 'merged', 'project')),
    theme       text NOT NULL,
    place       text NOT NULL,
    proposed_on date NOT NULL,
    changed_on  date NOT NULL,
    position    bigint NOT NULL,
    text_sha256 text,
    reason      text,
    verdict     text,
    points      int,
    points_max  int,
    into_id     uuid,
    project_id  uuid
);

-- propose --
INSERT INTO idea (idea_id, subject_id, theme, place, proposed_on, changed_on, position)
VALUES (%(idea_id)s, %(subject_id)s, %(theme)s, %(place)s, %(day)s, %(day)s, %(position)s)
ON CONFLICT (idea_id) DO NOTHING;

-- change --
-- Takes the columns that an event tells; the others stay, those of `clear` become empty.
UPDATE idea
SET stage = coalesce(%(stage)s, stage),
    changed_on = %(day)s,
    text_sha256 = coalesce(%(text_sha256)s, text_sha256),
    reason = coalesce(%(reason)s, reason),
    verdict = CASE WHEN %(voided)s THEN NULL ELSE coalesce(%(verdict)s, verdict) END,
    points = CASE WHEN %(voided)s THEN NULL ELSE coalesce(%(points)s, points) END,
    points_max = CASE WHEN %(voided)s THEN NULL ELSE coalesce(%(points_max)s, points_max) END,
    into_id = coalesce(%(into_id)s, into_id),
    project_id = coalesce(%(project_id)s, project_id)
WHERE idea_id = %(idea_id)s;

-- listed --
-- The ideas of the public list, the newest first; words only of those that were accepted.
SELECT i.idea_id, i.subject_id, i.stage, i.theme, i.place, i.proposed_on, i.changed_on, i.reason,
       i.verdict, i.points, i.points_max, i.into_id, i.project_id, i.text_sha256, w.words
FROM idea AS i LEFT JOIN wording AS w ON w.sha256 = i.text_sha256
WHERE (%(idea_id)s::uuid IS NULL OR i.idea_id = %(idea_id)s)
  AND (%(stages)s::text[] IS NULL OR i.stage = ANY(%(stages)s))
  AND (%(theme)s::text IS NULL OR i.theme = %(theme)s)
  AND (%(place)s::text IS NULL OR i.place = %(place)s)
  AND (%(into_id)s::uuid IS NULL OR i.into_id = %(into_id)s)
ORDER BY i.position DESC
LIMIT %(limit)s OFFSET %(offset)s;

-- counted --
-- How many ideas there are at each stage.
SELECT stage, count(*) FROM idea GROUP BY stage;

-- with_merged --
-- Ideas, and all that were merged into them, one after another.
WITH RECURSIVE whole (idea_id) AS (
    SELECT unnest(%(idea_ids)s::uuid[])
    UNION
    SELECT i.idea_id FROM idea AS i JOIN whole ON i.into_id = whole.idea_id
)
SELECT idea_id FROM whole ORDER BY idea_id;
