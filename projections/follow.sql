-- shapes --
SELECT model, shape FROM follower_position;

-- register --
-- Lets a model begin again in another shape.
INSERT INTO follower_position (model, shape) VALUES (%(model)s, %(shape)s)
ON CONFLICT (model) DO UPDATE SET shape = excluded.shape, position = 0;

-- position --
-- Locks the row, so that a rebuild and a follower never write one model at a time.
SELECT position FROM follower_position WHERE model = %(model)s FOR UPDATE;

-- position_if_free --
-- The same for who has other models to go on with: gives nothing while another writes this one.
SELECT position FROM follower_position WHERE model = %(model)s FOR UPDATE SKIP LOCKED;

-- advance --
UPDATE follower_position SET position = %(position)s WHERE model = %(model)s;

-- positions --
SELECT model, position FROM follower_position ORDER BY model;
