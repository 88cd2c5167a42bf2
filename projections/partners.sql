-- table --
-- One row per partner as the register leaves it. What it is on a day is in standing_period.
-- `folded_name` is without accents or capitals: the embedded PostgreSQL has no French collation.
CREATE TABLE partner (
    partner_id    uuid    PRIMARY KEY,
    name          text    NOT NULL,
    folded_name   text    COLLATE "C" NOT NULL,
    siret         text    NOT NULL,
    place         text,
    sector        text,
    publishes     boolean NOT NULL DEFAULT false,
    registered_on date    NOT NULL
);
CREATE INDEX partner_folded_name_idx ON partner (folded_name, name, partner_id);

-- register --
INSERT INTO partner (partner_id, name, folded_name, siret, registered_on)
VALUES (%(partner_id)s, %(name)s, %(folded_name)s, %(siret)s, %(registered_on)s);

-- describe --
UPDATE partner
SET name = %(name)s, folded_name = %(folded_name)s, place = %(place)s, sector = %(sector)s
WHERE partner_id = %(partner_id)s;

-- publish --
UPDATE partner SET publishes = %(publishes)s WHERE partner_id = %(partner_id)s;

-- every --
-- Every partner with what was given there; the gifts are the balances' rows, not a second count.
-- An active one is valid as long as all its reasons hold, a lapsed one was until one was over.
SELECT p.partner_id, p.name, p.siret, p.place, p.sector, p.publishes,
       p.registered_on, coalesce(s.status, 'registered') AS status,
       CASE WHEN s.status <> 'active' THEN (
           SELECT reason ->> 'name' FROM json_array_elements(s.reasons) AS reason
           WHERE reason ->> 'name' NOT IN ('certified', 'agreement_in_force') LIMIT 1)
       END AS why,
       CASE s.status
           WHEN 'active' THEN (
               SELECT min((reason ->> 'until')::date) FROM json_array_elements(s.reasons) AS reason)
           WHEN 'lapsed' THEN (
               SELECT min((reason ->> 'since')::date) - 1 FROM json_array_elements(s.reasons) AS reason
               WHERE reason ->> 'name' IN ('certification_over', 'agreement_over'))
       END AS valid_until,
       coalesce(b.gifts, 0) AS gifts,
       coalesce(b.given_cents, 0) AS given_cents,
       coalesce(b.reversed_cents, 0) AS reversed_cents
FROM partner AS p
LEFT JOIN standing_period AS s
       ON s.partner_id = p.partner_id
      AND s.first_on <= %(today)s AND (s.last_on IS NULL OR s.last_on >= %(today)s)
LEFT JOIN (
    SELECT partner_id, sum(gifts)::bigint AS gifts, sum(given_cents)::bigint AS given_cents,
           sum(reversed_cents)::bigint AS reversed_cents
    FROM balance
    WHERE %(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s
    GROUP BY partner_id
) AS b ON b.partner_id = p.partner_id
WHERE %(partner_id)s::uuid IS NULL OR p.partner_id = %(partner_id)s
ORDER BY p.folded_name, p.name, p.partner_id;

-- directory --
-- A page of the partners that match, in the order of a French directory, with what they are on a
-- day; the foundation, a partner only for what is given to it online, is none of them. Names come in order from an index, and only the page's own standings are looked up; how
-- many match in all is counted without standings unless they are asked for.
SELECT p.partner_id, p.name, p.place, p.sector,
       coalesce(s.status, 'registered') AS status, s.since_on AS since,
       CASE WHEN s.status <> 'active' THEN (
           SELECT reason ->> 'name' FROM json_array_elements(s.reasons) AS reason
           WHERE reason ->> 'name' NOT IN ('certified', 'agreement_in_force') LIMIT 1)
       END AS why,
       (SELECT count(*)
        FROM partner AS q
        WHERE q.registered_on <= %(on)s AND q.partner_id <> %(foundation_id)s
          AND (%(query)s = '' OR strpos(q.folded_name, %(query)s) > 0)
          AND (%(place)s::text IS NULL OR q.place = %(place)s::text)
          AND (%(sector)s::text IS NULL OR q.sector = %(sector)s::text)
          AND (%(statuses)s::text[] IS NULL OR coalesce((
              SELECT t.status FROM standing_period AS t
              WHERE t.partner_id = q.partner_id AND t.first_on <= %(on)s
              ORDER BY t.first_on DESC LIMIT 1), 'registered') = ANY(%(statuses)s::text[]))
       ) AS found
FROM partner AS p
LEFT JOIN LATERAL (
    SELECT status, since_on, reasons FROM standing_period AS t
    WHERE t.partner_id = p.partner_id AND t.first_on <= %(on)s
    ORDER BY t.first_on DESC LIMIT 1
) AS s ON true
WHERE p.registered_on <= %(on)s AND p.partner_id <> %(foundation_id)s
  AND (%(query)s = '' OR strpos(p.folded_name, %(query)s) > 0)
  AND (%(place)s::text IS NULL OR p.place = %(place)s::text)
  AND (%(sector)s::text IS NULL OR p.sector = %(sector)s::text)
  AND (%(statuses)s::text[] IS NULL OR coalesce(s.status, 'registered') = ANY(%(statuses)s::text[]))
ORDER BY p.folded_name, p.name, p.partner_id
LIMIT %(limit)s OFFSET %(offset)s;

-- places --
SELECT DISTINCT place FROM partner WHERE place IS NOT NULL;
