-- What is published of a count, as its bytes: whoever downloads it hashes the very same. A count
-- can be made again from the events and then gives the same bytes; these are what was adopted.
CREATE TABLE round_file (
    round_id      uuid NOT NULL,
    result_sha256 text NOT NULL,
    name          text NOT NULL,
    sha256        text NOT NULL,
    content       bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (round_id, result_sha256, name)
);
