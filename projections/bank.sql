-- table --
-- One row a statement of a bank file that was read whole.
CREATE TABLE bank_file (
    file_id       uuid   PRIMARY KEY,
    account_id    uuid   NOT NULL,
    format        text   NOT NULL,
    sha256        text   NOT NULL,
    sequence      int,
    opening_on    date   NOT NULL,
    opening_cents bigint NOT NULL,
    closing_on    date   NOT NULL,
    closing_cents bigint NOT NULL,
    entries       int    NOT NULL,
    credit_cents  bigint NOT NULL,
    debit_cents   bigint NOT NULL,
    read_at       timestamptz NOT NULL,
    actor         text   NOT NULL
);

CREATE INDEX bank_file_closing ON bank_file (account_id, closing_on);

-- One row a transaction. What is left of it is open: a column of its own, so that open ones are
-- found without the others.
CREATE TABLE bank_transaction (
    transaction_id   uuid   PRIMARY KEY,
    account_id       uuid   NOT NULL,
    entry_id         uuid   NOT NULL,
    file_id          uuid   NOT NULL,
    booked_on        date   NOT NULL,
    value_on         date,
    cents            bigint NOT NULL,
    open_cents       bigint NOT NULL,
    kind             text   NOT NULL,
    reference        text[] NOT NULL,
    end_to_end_mac   text,
    counterparty_mac text,
    return_reason    text
);

CREATE INDEX bank_transaction_open ON bank_transaction (booked_on, transaction_id)
    WHERE open_cents <> 0;
CREATE INDEX bank_transaction_day ON bank_transaction (booked_on, transaction_id);
CREATE INDEX bank_transaction_end_to_end ON bank_transaction (end_to_end_mac)
    WHERE end_to_end_mac IS NOT NULL;
CREATE INDEX bank_transaction_counterparty ON bank_transaction (counterparty_mac)
    WHERE counterparty_mac IS NOT NULL;

-- What moved on an account each day, for balances.
CREATE TABLE bank_day (
    account_id uuid,
    day        date,
    cents      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, day)
);

-- One row a match; one that was undone stays to be seen.
CREATE TABLE bank_match (
    match_id       uuid   PRIMARY KEY,
    transaction_id uuid   NOT NULL,
    rule           text   NOT NULL,
    allocations    jsonb  NOT NULL,
    matched_at     timestamptz NOT NULL,
    matched_by     text   NOT NULL,
    undone_at      timestamptz,
    undone_by      text,
    undone_reason  text
);

CREATE INDEX bank_match_transaction ON bank_match (transaction_id);

-- read --
INSERT INTO bank_file (file_id, account_id, format, sha256, sequence, opening_on, opening_cents,
                       closing_on, closing_cents, entries, credit_cents, debit_cents, read_at, actor)
VALUES (%(file_id)s, %(account_id)s, %(format)s, %(sha256)s, %(sequence)s, %(opening_on)s,
        %(opening_cents)s, %(closing_on)s, %(closing_cents)s, %(entries)s, %(credit_cents)s,
        %(debit_cents)s, %(recorded_at)s, %(actor)s);

-- book --
-- Adds transactions, and what they move to their days.
WITH booked AS (
    SELECT * FROM jsonb_to_recordset(%(booked)s::jsonb) AS b (
        transaction_id uuid, account_id uuid, entry_id uuid, file_id uuid, booked_on date,
        value_on date, cents bigint, kind text, "references" jsonb, end_to_end_mac text,
        counterparty_mac text, return_reason text)
), listed AS (
    INSERT INTO bank_transaction (transaction_id, account_id, entry_id, file_id, booked_on,
                                  value_on, cents, open_cents, kind, reference, end_to_end_mac,
                                  counterparty_mac, return_reason)
    SELECT transaction_id, account_id, entry_id, file_id, booked_on, value_on, cents, cents, kind,
           ARRAY(SELECT jsonb_array_elements_text("references")), end_to_end_mac, counterparty_mac,
           return_reason
    FROM booked
)
INSERT INTO bank_day AS d (account_id, day, cents)
SELECT account_id, booked_on, sum(cents) FROM booked GROUP BY account_id, booked_on
ON CONFLICT (account_id, day) DO UPDATE SET cents = d.cents + excluded.cents;

-- match --
INSERT INTO bank_match (match_id, transaction_id, rule, allocations, matched_at, matched_by)
SELECT match_id, transaction_id, rule, allocations, recorded_at, actor
FROM jsonb_to_recordset(%(matched)s::jsonb) AS m (
    match_id uuid, transaction_id uuid, rule text, allocations jsonb, recorded_at timestamptz,
    actor text);

-- undo --
UPDATE bank_match
SET undone_at = %(recorded_at)s, undone_by = %(actor)s, undone_reason = %(reason)s
WHERE match_id = %(match_id)s;

-- allocate --
-- What matches took of transactions, and undone ones gave back.
UPDATE bank_transaction AS t SET open_cents = t.open_cents - a.cents
FROM unnest(%(transaction_id)b::uuid[], %(cents)b::bigint[]) AS a (transaction_id, cents)
WHERE t.transaction_id = a.transaction_id;

-- open --
-- Transactions with cents left, the oldest first, after one of them.
SELECT * FROM bank_transaction
WHERE open_cents <> 0
  AND (booked_on, transaction_id) > (%(after_on)s::date, %(after_id)s::uuid)
ORDER BY booked_on, transaction_id
LIMIT %(limit)s;

-- telling --
-- Of these, the ones that may tell by themselves what they are for: fees, returns, and money that
-- came with a reference. No other is ever certain (ledger/bank/matching.py).
SELECT transaction_id, cents, open_cents, kind, booked_on, reference, end_to_end_mac,
       counterparty_mac
FROM bank_transaction
WHERE open_cents <> 0
  AND (kind IN ('charge', 'return') OR open_cents > 0 AND reference <> '{}')
  AND (booked_on, transaction_id) > (%(after_on)s::date, %(after_id)s::uuid)
ORDER BY booked_on, transaction_id
LIMIT %(limit)s;

-- open_sums --
-- How much is open, on either side.
SELECT count(*) AS transactions,
       coalesce(sum(open_cents) FILTER (WHERE open_cents > 0), 0)::bigint AS credit_cents,
       coalesce(sum(open_cents) FILTER (WHERE open_cents < 0), 0)::bigint AS debit_cents,
       min(booked_on) AS oldest_on
FROM bank_transaction
WHERE open_cents <> 0;

-- one --
SELECT * FROM bank_transaction WHERE transaction_id = %(transaction_id)s;

-- of_entry --
-- All transactions of an entry.
SELECT * FROM bank_transaction WHERE entry_id = %(entry_id)s AND file_id = %(file_id)s
ORDER BY transaction_id;

-- of_day --
SELECT * FROM bank_transaction WHERE booked_on = %(day)s
ORDER BY abs(cents) DESC, transaction_id
LIMIT %(limit)s;

-- matches --
SELECT match_id, transaction_id, rule, allocations, matched_at, matched_by, undone_at, undone_by,
       undone_reason
FROM bank_match
WHERE transaction_id = ANY(%(transaction_ids)b::uuid[])
ORDER BY matched_at, match_id;

-- moved --
-- Transactions under some of their payers' own ids, with what they were matched with, or nothing.
SELECT t.transaction_id, t.cents, t.booked_on, t.end_to_end_mac, t.counterparty_mac,
       coalesce(jsonb_agg(a.allocation ORDER BY m.matched_at, m.match_id, a.place)
                FILTER (WHERE a.allocation IS NOT NULL), '[]') AS allocations
FROM bank_transaction AS t
LEFT JOIN bank_match AS m ON m.transaction_id = t.transaction_id AND m.undone_at IS NULL
LEFT JOIN jsonb_array_elements(m.allocations) WITH ORDINALITY AS a (allocation, place) ON true
WHERE t.end_to_end_mac = ANY(%(macs)s::text[])
GROUP BY t.transaction_id;

-- payers --
-- Which partners money from some accounts was for.
SELECT DISTINCT t.counterparty_mac, (a.allocation ->> 'partner_id')::uuid AS partner_id
FROM bank_transaction AS t
JOIN bank_match AS m ON m.transaction_id = t.transaction_id AND m.undone_at IS NULL,
     jsonb_array_elements(m.allocations) AS a (allocation)
WHERE t.counterparty_mac = ANY(%(macs)s::text[]) AND a.allocation ? 'partner_id';

-- targeted --
-- Which of some targets have matched money, and how much.
SELECT (a.allocation ->> 'target_id')::uuid AS target_id,
       sum((a.allocation ->> 'cents')::bigint)::bigint AS cents
FROM bank_match AS m, jsonb_array_elements(m.allocations) AS a (allocation)
WHERE m.undone_at IS NULL AND a.allocation ->> 'target' = %(target)s
GROUP BY 1;

-- files --
-- Statements that were read, with the balance by the ledger at the end of their last day: the
-- opening balance of the account's first statement and all transactions since.
WITH first AS (
    -- Of several of its first day: by the bank's numbers, else the one that goes on from no other.
    SELECT DISTINCT ON (f.account_id) f.account_id, f.opening_cents
    FROM bank_file AS f
    JOIN (
        SELECT DISTINCT ON (account_id) account_id, opening_on, closing_on
        FROM bank_file
        ORDER BY account_id, opening_on, closing_on
    ) AS d USING (account_id, opening_on, closing_on)
    ORDER BY f.account_id, f.sequence NULLS LAST, EXISTS (
        SELECT FROM bank_file AS o
        WHERE o.account_id = f.account_id AND o.opening_on = f.opening_on
          AND o.closing_on = f.closing_on AND o.closing_cents = f.opening_cents
          AND o.opening_cents <> o.closing_cents AND o.file_id <> f.file_id
    ), f.file_id
), running AS (
    SELECT account_id, day, sum(cents) OVER (PARTITION BY account_id ORDER BY day) AS cents
    FROM bank_day
), reached AS (
    SELECT DISTINCT ON (f.file_id) f.file_id, r.cents
    FROM bank_file AS f
    JOIN running AS r ON r.account_id = f.account_id AND r.day <= f.closing_on
    WHERE %(account_id)s::uuid IS NULL OR f.account_id = %(account_id)s
    ORDER BY f.file_id, r.day DESC
)
SELECT f.*, (first.opening_cents + coalesce(reached.cents, 0))::bigint AS ledger_cents
FROM bank_file AS f
JOIN first ON first.account_id = f.account_id
LEFT JOIN reached ON reached.file_id = f.file_id
WHERE %(account_id)s::uuid IS NULL OR f.account_id = %(account_id)s
ORDER BY f.account_id, f.opening_on, f.closing_on, f.sequence NULLS LAST, f.file_id;

-- spans --
-- From what to what the statements of an account led that end on a day, and what moved in them.
SELECT file_id, opening_on, opening_cents, closing_on, closing_cents, entries, credit_cents,
       debit_cents
FROM bank_file
WHERE account_id = %(account_id)s AND closing_on = %(closing_on)s;

-- entries --
-- The entries that were booked from some statements.
SELECT DISTINCT entry_id FROM bank_transaction WHERE file_id = ANY(%(file_ids)s::uuid[]);

-- accounts --
SELECT DISTINCT account_id FROM bank_file ORDER BY account_id;

-- days --
-- What moved on each day of a period, and how much of it is matched.
SELECT booked_on AS day, count(*) AS transactions,
       coalesce(sum(cents) FILTER (WHERE cents > 0), 0)::bigint AS credit_cents,
       coalesce(sum(cents) FILTER (WHERE cents < 0), 0)::bigint AS debit_cents,
       coalesce(sum(cents - open_cents), 0)::bigint AS matched_cents,
       coalesce(sum(open_cents), 0)::bigint AS open_cents
FROM bank_transaction
WHERE booked_on BETWEEN %(first_on)s AND %(last_on)s
GROUP BY booked_on
ORDER BY booked_on DESC;
