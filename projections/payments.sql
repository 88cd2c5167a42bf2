-- table --
-- One row per card payment as its events leave it, and one for each refund and each dispute of it.
CREATE TABLE payment (
    payment_id      uuid        PRIMARY KEY,
    purpose         text        NOT NULL,
    purpose_id      uuid,
    partner_id      uuid,
    subscription_id uuid,
    state           text        NOT NULL,
    cents           bigint      NOT NULL,
    charge_id       text        UNIQUE,
    method          text,
    begun_at        timestamptz NOT NULL,
    succeeded_at    timestamptz,
    failed_for      text,
    livemode        boolean     NOT NULL,
    refunded_cents  bigint      NOT NULL DEFAULT 0,
    withdrawn_cents bigint      NOT NULL DEFAULT 0
);
CREATE INDEX payment_begun_idx ON payment (begun_at DESC);
CREATE INDEX payment_purpose_idx ON payment (purpose_id) WHERE purpose_id IS NOT NULL;
CREATE INDEX payment_subscription_idx ON payment (subscription_id)
    WHERE subscription_id IS NOT NULL;

CREATE TABLE payment_refund (
    refund_id   text   PRIMARY KEY,
    payment_id  uuid   NOT NULL,
    cents       bigint NOT NULL,
    refunded_on date   NOT NULL,
    failed_on   date
);

CREATE TABLE payment_dispute (
    dispute_id      text        PRIMARY KEY,
    payment_id      uuid        NOT NULL,
    cents           bigint      NOT NULL,
    reason          text        NOT NULL,
    opened_at       timestamptz NOT NULL,
    evidence_due_at timestamptz,
    withdrawn_on    date,
    reinstated_on   date,
    outcome         text
);

CREATE TABLE card_subscription (
    subscription_id uuid PRIMARY KEY,
    ended_on        date NOT NULL
);

-- begin --
INSERT INTO payment (payment_id, purpose, purpose_id, partner_id, subscription_id, state, cents,
                     begun_at, livemode)
VALUES (%(payment_id)s, %(purpose)s, %(purpose_id)s, %(partner_id)s, %(subscription_id)s, 'begun',
        %(cents)s, %(at)s, %(livemode)s);

-- process --
UPDATE payment SET state = 'processing' WHERE payment_id = %(payment_id)s;

-- succeed --
INSERT INTO payment AS p (payment_id, purpose, purpose_id, partner_id, subscription_id, state, cents,
                          charge_id, method, begun_at, succeeded_at, livemode)
VALUES (%(payment_id)s, %(purpose)s, %(purpose_id)s, %(partner_id)s, %(subscription_id)s,
        'succeeded', %(cents)s, %(charge_id)s, %(method)s, %(at)s, %(succeeded_at)s, %(livemode)s)
ON CONFLICT (payment_id) DO UPDATE
SET state = 'succeeded', cents = excluded.cents, charge_id = excluded.charge_id,
    method = excluded.method, succeeded_at = excluded.succeeded_at, failed_for = NULL;

-- fail --
UPDATE payment SET state = 'failed', failed_for = %(reason)s WHERE payment_id = %(payment_id)s;

-- refund --
INSERT INTO payment_refund (refund_id, payment_id, cents, refunded_on)
VALUES (%(refund_id)s, %(payment_id)s, %(cents)s, %(on)s);

-- fail_refund --
UPDATE payment_refund SET failed_on = %(on)s WHERE refund_id = %(refund_id)s;

-- give_back --
UPDATE payment SET refunded_cents = refunded_cents + %(change)s WHERE payment_id = %(payment_id)s;

-- dispute --
INSERT INTO payment_dispute (dispute_id, payment_id, cents, reason, opened_at, evidence_due_at)
VALUES (%(dispute_id)s, %(payment_id)s, %(cents)s, %(reason)s, %(at)s, %(evidence_due_at)s);

-- withdraw --
UPDATE payment_dispute SET withdrawn_on = %(on)s WHERE dispute_id = %(dispute_id)s;

-- reinstate --
UPDATE payment_dispute SET reinstated_on = %(on)s WHERE dispute_id = %(dispute_id)s;

-- move --
UPDATE payment SET withdrawn_cents = withdrawn_cents + %(change)s WHERE payment_id = %(payment_id)s;

-- close_dispute --
UPDATE payment_dispute SET outcome = %(outcome)s WHERE dispute_id = %(dispute_id)s;

-- end_subscription --
INSERT INTO card_subscription (subscription_id, ended_on) VALUES (%(subscription_id)s, %(on)s);

-- select --
SELECT p.payment_id, p.purpose, p.purpose_id, p.partner_id, p.subscription_id, p.state, p.cents,
       p.charge_id, p.method, p.begun_at, p.succeeded_at, p.failed_for, p.livemode,
       p.refunded_cents, p.withdrawn_cents, s.ended_on AS subscription_ended_on
FROM payment AS p
LEFT JOIN card_subscription AS s USING (subscription_id)
WHERE (%(payment_id)s::uuid IS NULL OR p.payment_id = %(payment_id)s)
  AND (%(purpose_id)s::uuid IS NULL OR p.purpose_id = %(purpose_id)s)
  AND (%(subscription_id)s::uuid IS NULL OR p.subscription_id = %(subscription_id)s)
  AND (%(states)s::text[] IS NULL OR p.state = ANY(%(states)s::text[]))
ORDER BY p.begun_at DESC, p.payment_id
LIMIT %(limit)s;

-- sums --
-- What came by card, what went back, and how many payments are in each state.
SELECT count(*) FILTER (WHERE state = 'begun')::bigint AS begun,
       count(*) FILTER (WHERE state = 'processing')::bigint AS processing,
       count(*) FILTER (WHERE state = 'succeeded')::bigint AS succeeded,
       count(*) FILTER (WHERE state = 'failed')::bigint AS failed,
       coalesce(sum(cents) FILTER (WHERE state = 'processing'), 0)::bigint AS processing_cents,
       coalesce(sum(cents) FILTER (WHERE state = 'succeeded'), 0)::bigint AS paid_cents,
       coalesce(sum(refunded_cents), 0)::bigint AS refunded_cents,
       coalesce(sum(withdrawn_cents), 0)::bigint AS withdrawn_cents
FROM payment;

-- refunds --
SELECT refund_id, payment_id, cents, refunded_on, failed_on
FROM payment_refund WHERE payment_id = %(payment_id)s ORDER BY refunded_on, refund_id;

-- disputes --
SELECT d.dispute_id, d.payment_id, d.cents, d.reason, d.opened_at, d.evidence_due_at,
       d.withdrawn_on, d.reinstated_on, d.outcome, p.cents AS paid_cents, p.succeeded_at,
       p.purpose, p.refunded_cents
FROM payment_dispute AS d JOIN payment AS p USING (payment_id)
WHERE (%(open_only)s IS FALSE OR d.outcome IS NULL)
  AND (%(payment_id)s::uuid IS NULL OR d.payment_id = %(payment_id)s)
ORDER BY d.outcome IS NOT NULL, d.evidence_due_at NULLS LAST, d.dispute_id;

-- monthly --
-- The monthly gifts that go on: begun with a payment that succeeded, and not ended.
SELECT count(DISTINCT p.subscription_id)::bigint AS going
FROM payment AS p
WHERE p.state = 'succeeded' AND p.subscription_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM card_subscription AS s WHERE s.subscription_id = p.subscription_id);
