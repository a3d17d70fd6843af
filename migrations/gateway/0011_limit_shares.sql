-- How the gateway's nodes share what a tenant, a user or a class of routes may ask. Each node writes twice a second how much it is
-- asked for and which share of each allowance it uses; a row that is not renewed for three seconds is a node that is gone. Nothing here
-- need outlive a crash.
CREATE UNLOGGED TABLE limit_nodes (
    node    uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL,
    shares  jsonb NOT NULL
);
