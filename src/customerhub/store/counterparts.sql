-- Counterparts: which customer of ours a record of another system's is the copy of, told to that system.

-- name: find
-- By the record's id over there, in any account that is kept in the words of one dialect. $1 team, $2 form, $3 external id
select s.customer
from sink k
join sync s on s.team = $1 and s.sink = k.id and s.external_id = $3
where k.team = $1 and k.kind = 'account' and k.form = $2 and k.deleted_at is null
limit 1

-- name: is_creating
-- Whether a record is being made in such an account, since a while ago at most. $1 team, $2 form, $3 since
select exists (
    select
    from sink k
    join sync s on s.team = $1 and s.sink = k.id and s.creation is not null and s.at > $3
    where k.team = $1 and k.kind = 'account' and k.form = $2 and k.deleted_at is null
)
