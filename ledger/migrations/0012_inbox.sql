-- What Stripe announced, once each by its own id, until it was acted upon. Only which object it is
-- about is kept, never what the announcement says: names and addresses of donors stay at Stripe,
-- and the object is fetched anew. `via` says whether Stripe sent it or a reconciliation found it.
CREATE TABLE inbox (
    event_id    text        PRIMARY KEY,
    kind        text        NOT NULL,
    object_kind text        NOT NULL,
    object_id   text        NOT NULL,
    account     text,
    via         text        NOT NULL CHECK (via IN ('webhook', 'listing')),
    created_at  timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts    integer     NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    failure     text,
    handled_at  timestamptz,
    outcome     text,
    CONSTRAINT handled_with_an_outcome CHECK ((handled_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX inbox_waiting_idx ON inbox (next_at) WHERE handled_at IS NULL;
CREATE INDEX inbox_handled_idx ON inbox (handled_at) WHERE handled_at IS NOT NULL;

-- The reconciliations with Stripe, the newest last. `listed_to` is when the newest of the listed events
-- was made, by Stripe's clock: the next listing begins there, whatever time it is here.
CREATE TABLE card_reconciliation (
    reconciliation_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun_at          timestamptz NOT NULL,
    ended_at          timestamptz,
    listed_from       timestamptz NOT NULL,
    listed_to         timestamptz,
    events            integer     NOT NULL DEFAULT 0,
    missing           integer     NOT NULL DEFAULT 0,
    payouts           integer     NOT NULL DEFAULT 0,
    failure           text
);
