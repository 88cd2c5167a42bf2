-- Whoever sends a letter holds it until then, without a transaction: a mail server may be slow.
ALTER TABLE letter_due ADD COLUMN held_until timestamptz;
