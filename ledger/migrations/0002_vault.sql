-- Personal data, sealed. What reads them, a key-encryption key, is a file outside this database.

-- Which version of the key in a key file the rows were made with; only the vault's key is rotated.
ALTER TABLE keyring ADD COLUMN version int NOT NULL DEFAULT 1 CHECK (version > 0);

-- One data key for each person, wrapped by the key-encryption key of a version.
CREATE TABLE vault_key (
    subject_id uuid  PRIMARY KEY,
    version    int   NOT NULL,
    wrapped    bytea NOT NULL
);

-- One sealed text for each person and field; it goes with its data key.
CREATE TABLE vault_field (
    subject_id uuid  NOT NULL REFERENCES vault_key ON DELETE CASCADE,
    field      text  NOT NULL,
    sealed     bytea NOT NULL,
    PRIMARY KEY (subject_id, field)
);

-- Fields by which a person is found, as keyed hashes that change with the key-encryption key.
CREATE TABLE vault_index (
    field      text  NOT NULL,
    mac        bytea NOT NULL,
    subject_id uuid  NOT NULL,
    PRIMARY KEY (field, mac),
    UNIQUE (subject_id, field),
    FOREIGN KEY (subject_id, field) REFERENCES vault_field ON DELETE CASCADE
);

-- Who was erased. Deleted rows stay in table files and logs for a while: an erasure is complete
-- only once the key-encryption key that could open them is destroyed.
CREATE TABLE vault_erasure (
    subject_id  uuid        PRIMARY KEY,
    erased_at   timestamptz NOT NULL DEFAULT now(),
    version     int,
    complete_at timestamptz CHECK (complete_at IS NULL OR version IS NOT NULL)
);
