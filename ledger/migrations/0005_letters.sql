-- Letters that are to be sent: noted before the first attempt, forgotten once a mail server took
-- them. What they say is written anew for each attempt, from the vault and the ledger.
CREATE TABLE letter_due (
    kind     text        NOT NULL,
    about_id uuid        NOT NULL,
    due_at   timestamptz NOT NULL,
    tried_at timestamptz,
    failure  text,
    PRIMARY KEY (kind, about_id)
);
