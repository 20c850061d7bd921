-- What a search of customers looks at: one text for each live customer, beside the record and not in it, so that an
-- update which changes none of the searched values writes neither it nor its index.

create extension if not exists pg_trgm;
create extension if not exists btree_gin;

-- `text` is what model/search.py makes of the record. In eight parts, one index each, since an index of this kind
-- gathers all that it finds before the first row comes out: a search that finds more than it wants ends after one part.
create table customer_search (
    team uuid not null,
    customer uuid not null,
    text text not null,
    primary key (team, customer),
    foreign key (team, customer) references customer (team, id)
) partition by hash (customer);
create table customer_search_0 partition of customer_search for values with (modulus 8, remainder 0);
create table customer_search_1 partition of customer_search for values with (modulus 8, remainder 1);
create table customer_search_2 partition of customer_search for values with (modulus 8, remainder 2);
create table customer_search_3 partition of customer_search for values with (modulus 8, remainder 3);
create table customer_search_4 partition of customer_search for values with (modulus 8, remainder 4);
create table customer_search_5 partition of customer_search for values with (modulus 8, remainder 5);
create table customer_search_6 partition of customer_search for values with (modulus 8, remainder 6);
create table customer_search_7 partition of customer_search for values with (modulus 8, remainder 7);
-- What is new waits in a list that every search reads from end to end, and goes into the index many rows at once: a short
-- list makes searches cheaper and changes of what is searched dearer.
create index customer_search_text on customer_search using gin (team, text gin_trgm_ops)
    with (gin_pending_list_limit = 1024);

-- Statistics would keep samples of what people are called, where an erasure does not reach, and help no search.
alter table customer_search alter column text set statistics 0;
