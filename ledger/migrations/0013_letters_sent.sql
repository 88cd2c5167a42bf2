-- When a mail server took a letter that is sent once, or once in a while, however often it is asked
-- for: such a letter stays noted. All others are forgotten once they are sent.
ALTER TABLE letter_due ADD COLUMN sent_at timestamptz;
