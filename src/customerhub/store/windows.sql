-- Limits that all processes count together: each key's running window and the one before it.

-- name: take
-- One more in the running window, unless that were too many; the former window counts as far as it still reaches into the
-- time that the limit is about. Whether it was counted, and what stands in both windows. No row where somebody else made
-- the key meanwhile and no more is allowed. A process whose clock is behind counts in the newest window, as at its
-- beginning: by its own time nearly nothing of the former one would count, and a second burst would pass.
-- $1 key, $2 the running window, $3 share of the former one that still counts, $4 limit, $5 when this one counts no more
with taken as (
    insert into rate_window as w (key, slot, count, former, ends_at)
    values ($1, $2, 1, 0, $5)
    on conflict (key) do update set
        slot = greatest(w.slot, $2),
        former = case when w.slot >= $2 then w.former when w.slot = $2 - 1 then w.count else 0 end,
        count = case when w.slot >= $2 then w.count else 0 end + 1,
        ends_at = greatest(w.ends_at, $5)
    where 1 + case when w.slot > $2 then 1 else $3::double precision end
        * case when w.slot >= $2 then w.former when w.slot = $2 - 1 then w.count else 0 end
        + case when w.slot >= $2 then w.count else 0 end <= $4::bigint
    returning former, count
)
select true, t.former, t.count from taken t
union all
select false, {counts} from rate_window w where w.key = $1 and not exists (select from taken)

-- name: counts
-- What stands in the former and in the running window, seen from window $2.
case when w.slot >= $2 then w.former when w.slot = $2 - 1 then w.count else 0 end,
case when w.slot >= $2 then w.count else 0 end

-- name: look
-- What stands in the former window and in the running one. $1 key, $2 the running window
select {counts} from rate_window w where w.key = $1

-- name: delete_ended
-- $1 before, $2 limit
with ended as (select e.key from rate_window e where e.ends_at < $1 limit $2 for update skip locked)
delete from rate_window w using ended where w.key = ended.key
