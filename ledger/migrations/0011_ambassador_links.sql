-- How ambassadors, who need no account, come to a page of their own.

-- `enrolment` and `link` are one-time links of a letter; `browser` is the mark of a browser that
-- opened the page by one: gifts chosen in it are the ambassador's own. Only hashes are kept. A code
-- of an enrolment that nobody confirmed goes, with what the vault holds, when the link has expired.
CREATE TABLE ambassador_link (
    token_sha256 bytea       PRIMARY KEY,
    kind         text        NOT NULL CHECK (kind IN ('enrolment', 'link', 'browser')),
    code         text        NOT NULL,
    subject_id   uuid        NOT NULL,
    expires_at   timestamptz NOT NULL
);
