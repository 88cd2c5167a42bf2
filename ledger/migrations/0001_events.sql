-- The events. This table and its unique index are, to the letter, what the event library would
-- make; they are made here because it cannot make them while several processes start.
CREATE TABLE ledger_events (
    originator_id      uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic              text,
    state              bytea,
    notification_id    bigserial,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_enabled = true,
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);

CREATE UNIQUE INDEX ledger_events_notification_id_idx ON ledger_events (notification_id ASC);

-- Appends events in one transaction and one round trip, and gives their ids in order. The lock makes
-- ids follow commits, so that a follower never skips an event; a function without it would.
CREATE FUNCTION append_events(
    originator_ids uuid[], originator_versions bigint[], topics text[], states bytea[]
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE ledger_events IN EXCLUSIVE MODE;
    NOTIFY ledger_events;
    RETURN QUERY
        INSERT INTO ledger_events (originator_id, originator_version, topic, state)
        SELECT * FROM unnest(originator_ids, originator_versions, topics, states)
        RETURNING ledger_events.notification_id;
END
$$;

-- Events of partners and tills are few among the gifts: with this index a worker that starts reads
-- them, to know which keys to admit, without scanning every gift.
CREATE INDEX ledger_events_admission_idx ON ledger_events (notification_id)
WHERE topic NOT IN ('DonationRecorded', 'DonationReversed');

-- How far each read model has applied the feed; updated in the same transaction as its rows.
-- `shape` is a hash of the model's tables: a model of another shape is emptied and refilled.
CREATE TABLE follower_position (
    model    text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    shape    text NOT NULL
);

-- Which key, kept outside this database, made the ticket codes: a start with another is refused.
CREATE TABLE keyring (
    purpose     text PRIMARY KEY,
    fingerprint text NOT NULL
);
