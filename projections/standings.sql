-- table --
-- Where the events of each partner's standing are in the feed, so that it can be told as it was
-- known at any position; and the standing over all days, as it is known now.
CREATE TABLE standing_event (
    position   bigint PRIMARY KEY,
    partner_id uuid   NOT NULL
);
CREATE INDEX standing_event_partner_idx ON standing_event (partner_id, position);

CREATE TABLE standing_period (
    partner_id uuid NOT NULL,
    first_on   date NOT NULL,
    last_on    date,
    since_on   date NOT NULL,
    status     text NOT NULL,
    reasons    json NOT NULL,
    PRIMARY KEY (partner_id, first_on),
    CONSTRAINT period_in_order CHECK (last_on >= first_on)
);

-- note --
INSERT INTO standing_event (position, partner_id)
SELECT * FROM unnest(%(positions)s::bigint[], %(partner_ids)s::uuid[]);

-- events --
-- The events of some partners up to a position, oldest first, with the stream they stand in.
SELECT s.partner_id, s.position, e.topic, e.state
FROM standing_event AS s
JOIN ledger_events AS e ON e.notification_id = s.position
WHERE s.partner_id = ANY(%(partner_ids)s::uuid[])
  AND (%(known_at)s::bigint IS NULL OR s.position <= %(known_at)s::bigint)
ORDER BY s.partner_id, s.position;

-- forget_periods --
DELETE FROM standing_period WHERE partner_id = ANY(%(partner_ids)s::uuid[]);

-- tell_periods --
INSERT INTO standing_period (partner_id, first_on, last_on, since_on, status, reasons)
SELECT * FROM unnest(%(partner_ids)s::uuid[], %(firsts)s::date[], %(lasts)s::date[],
                     %(sinces)s::date[], %(statuses)s::text[], %(reasons)s::json[]);

-- on_day --
-- One partner's standing on a day; no row before its registration.
SELECT first_on, last_on, since_on, status, reasons::text
FROM standing_period
WHERE partner_id = %(partner_id)s AND first_on <= %(on)s AND (last_on IS NULL OR last_on >= %(on)s);

-- history --
SELECT first_on, last_on, since_on, status, reasons::text
FROM standing_period
WHERE partner_id = %(partner_id)s
ORDER BY first_on;

-- everyone --
-- The partners of each status on a day, as one JSON list each: ten thousand rows would take
-- several times as long to fetch and decode.
SELECT status, json_agg(partner_id)::text AS partner_ids
FROM standing_period
WHERE first_on <= %(on)s AND (last_on IS NULL OR last_on >= %(on)s)
GROUP BY status;
