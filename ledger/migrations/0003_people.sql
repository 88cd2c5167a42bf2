-- What lets people in. Roles are events; who a person is, is in the vault; secrets are hashes here.

CREATE TABLE account (
    account_id      uuid PRIMARY KEY,
    subject_id      uuid NOT NULL UNIQUE,
    password_argon2 text
);

-- A session is known by the hash of the random token in its cookie.
CREATE TABLE session (
    token_sha256 bytea       PRIMARY KEY,
    account_id   uuid        NOT NULL REFERENCES account ON DELETE CASCADE,
    seen_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);

CREATE INDEX session_account_idx ON session (account_id);

-- A link that sets a password, once: to enrol, or because the password is forgotten.
CREATE TABLE one_time_link (
    token_sha256 bytea       PRIMARY KEY,
    account_id   uuid        NOT NULL REFERENCES account ON DELETE CASCADE,
    expires_at   timestamptz NOT NULL
);

CREATE INDEX one_time_link_account_idx ON one_time_link (account_id);

-- Attempts to get in, by a keyed hash of the address or e-mail they came from or named.
CREATE TABLE login_attempt (
    origin       bytea       NOT NULL,
    attempted_at timestamptz NOT NULL
);

CREATE INDEX login_attempt_idx ON login_attempt (origin, attempted_at);
