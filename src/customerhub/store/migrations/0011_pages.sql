-- Lists by page number skip what lies before the page, and count. The index of an order holds all that both look at, so
-- that neither comes to the table for a row: `status`, by which a list may be narrowed unasked, and of an expression
-- what it is made of, since only columns are read from an index alone.

drop index customer_created;
create index customer_created on customer (team, created_at desc, id desc) include (status) where deleted_at is null;
drop index customer_updated;
create index customer_updated on customer (team, updated_at, id) include (status) where deleted_at is null;
create index customer_name on customer (team, lower(name), id) include (name, status) where deleted_at is null;

-- Only where a vacuum has been since the last change is a row known from the index alone: not after a fifth of all rows
-- have changed, which is usual, but after a fiftieth.
alter table customer set (autovacuum_vacuum_scale_factor = 0.02);

-- What is new in it waits in a list that every search of an address reads from end to end: a short one.
alter index customer_addresses set (gin_pending_list_limit = 256);
