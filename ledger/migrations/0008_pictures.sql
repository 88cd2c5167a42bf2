-- What people write and show of ideas and projects. Events name it by hash; it is kept here.

-- A text by the SHA-256 of its bytes: it never changes. One that tells too much of a person is
-- withheld: its words go for good, its hash and the events that name it stay.
CREATE TABLE wording (
    sha256      text        PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    words       text,
    kept_at     timestamptz NOT NULL DEFAULT now(),
    withheld_at timestamptz CHECK ((withheld_at IS NULL) = (words IS NOT NULL))
);

-- A picture in each width it is served in; `sha256` is that of its largest file.
CREATE TABLE picture (
    sha256  text  NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    width   int   NOT NULL CHECK (width > 0),
    height  int   NOT NULL CHECK (height > 0),
    content bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (sha256, width)
);

-- An idea whose author has not confirmed her address yet; her words are in the vault. The row goes
-- when she confirms, or with her words when the link has expired.
CREATE TABLE idea_draft (
    token_sha256      bytea       PRIMARY KEY,
    idea_id           uuid        NOT NULL UNIQUE,
    subject_id        uuid        NOT NULL UNIQUE,
    theme             text        NOT NULL,
    place             text        NOT NULL,
    territory_version int         NOT NULL,
    tie               text        NOT NULL,
    expires_at        timestamptz NOT NULL
);
