-- table --
-- Which gifts a wallet keeps, in the order in which they were added.
CREATE TABLE wallet_gift (
    donation_id uuid   PRIMARY KEY,
    wallet_id   uuid   NOT NULL,
    position    bigint NOT NULL
);
CREATE INDEX wallet_gift_of ON wallet_gift (wallet_id, position DESC);

-- keep --
-- A gift is in one wallet for good.
INSERT INTO wallet_gift (donation_id, wallet_id, position)
SELECT * FROM unnest(%(donation_id)s::uuid[], %(wallet_id)s::uuid[], %(position)s::bigint[])
ON CONFLICT (donation_id) DO NOTHING;

-- gifts --
-- The newest gifts of a wallet.
SELECT donation_id FROM wallet_gift WHERE wallet_id = %(wallet_id)s
ORDER BY position DESC LIMIT %(limit)s;
