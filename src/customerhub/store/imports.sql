-- Imports: the files that were staged, their rows, what came of them. `{…}` marks what `imports.py` fills with columns.

-- name: insert
-- $1 team, $2 id, $3 file name, $4 format, $5 columns, $6 shape, $7 mapping, $8 match by, $9 mode, $10 empty cells,
-- $11 rows, $12 actor, $13 credential, $14 caller, $15 door, $16 at, $17 digest
insert into import (
    team, id, file_name, format, columns, shape, mapping, match_by, mode, empty_cells, status, rows, actor, credential,
    caller, door, created_at, updated_at, digest
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'reading', $11, $12, $13, $14, $15, $16, $16, $17)

-- name: get
-- $1 team, $2 import
select {columns} from import i where i.team = $1 and i.id = $2 and i.deleted_at is null and i.status <> 'reading'

-- name: hold
-- The same until the transaction ends. $1 team, $2 import
select {columns} from import i where i.team = $1 and i.id = $2 and i.deleted_at is null and i.status <> 'reading' for update

-- name: list
-- The newest first. $1 team, $2 limit
select {columns} from import i
where i.team = $1 and i.deleted_at is null and i.status <> 'reading'
order by i.created_at desc, i.id desc
limit $2

-- name: list_older
-- $1 team, $2 limit, $3 made before, $4 and id
select {columns} from import i
where i.team = $1 and i.deleted_at is null and i.status <> 'reading' and (i.created_at, i.id) < ($3, $4)
order by i.created_at desc, i.id desc
limit $2

-- name: list_newer
-- The oldest of these first. $1 team, $2 limit, $3 made after, $4 and id
select {columns} from import i
where i.team = $1 and i.deleted_at is null and i.status <> 'reading' and (i.created_at, i.id) > ($3, $4)
order by i.created_at, i.id
limit $2

-- name: set_staged
-- All rows are there. $1 team, $2 import, $3 rows
update import set status = 'staged', rows = $3 where team = $1 and id = $2

-- name: delete_unseen
-- $1 team, $2 import
delete from import where team = $1 and id = $2 and status = 'reading'

-- name: find_unfinished
-- The newest that was begun with the same file by the same door and is not at its end. $1 team, $2 digest, $3 door
select {columns} from import i
where i.team = $1 and i.digest = $2 and i.door = $3 and i.status in ('running', 'paused') and not i.is_trial
    and i.deleted_at is null
order by i.created_at desc
limit 1

-- name: get_names
-- What files were called, also of imports that were taken away. $1 team, $2 imports
select i.id, i.file_name from import i where i.team = $1 and i.id = any ($2::uuid[])

-- name: update_options
-- $1 team, $2 import, $3 shape, $4 mapping, $5 match by, $6 mode, $7 empty cells, $8 at
update import
set shape = $3, mapping = $4, match_by = $5, mode = $6, empty_cells = $7, trial = null, updated_at = $8,
    version = version + 1
where team = $1 and id = $2

-- name: begin
-- From the first row on; a trial leaves alone what came of the rows before. $1 team, $2 import, $3 whether it is a trial,
-- $4 at, $5 actor, $6 credential, $7 caller, $8 door
update import
set status = 'running', is_trial = $3, reason = null, position = 0, done = 0, created = 0, changed = 0, equal = 0,
    refused = 0, started_at = $4, ended_at = null, updated_at = $4, actor = $5, credential = $6, caller = $7, door = $8,
    claimed_by = null, claimed_until = null, version = version + 1
where team = $1 and id = $2

-- name: resume
-- On behind the position, for whoever goes on with it. $1 team, $2 import, $3 at, $4 actor, $5 credential, $6 caller,
-- $7 door
update import
set status = 'running', reason = null, ended_at = null, updated_at = $3, actor = $4, credential = $5, caller = $6,
    door = $7, version = version + 1
where team = $1 and id = $2

-- name: set_status
-- $1 team, $2 import, $3 status, $4 reason, $5 at, $6 when it ended or null
update import
set status = $3, reason = $4, updated_at = $5, ended_at = $6, claimed_by = null, claimed_until = null,
    version = version + 1
where team = $1 and id = $2

-- name: end_trial
-- What a trial found is kept beside the file, which is as it was. $1 team, $2 import, $3 at, $4 what it found
update import
set status = 'staged', is_trial = false, trial = $4, position = 0, done = 0, created = 0, changed = 0, equal = 0,
    refused = 0, updated_at = $3, claimed_by = null, claimed_until = null, version = version + 1
where team = $1 and id = $2

-- name: restart
-- Once more from the first row, by whoever runs it. $1 team, $2 import
update import set position = 0, done = 0, created = 0, changed = 0, equal = 0, refused = 0 where team = $1 and id = $2

-- name: remove
-- Out of sight; the history names it. $1 team, $2 import, $3 at
update import set deleted_at = $3, updated_at = $3, is_kept = false, version = version + 1 where team = $1 and id = $2

-- name: list_due
-- Imports of any teams that are to be run and that nobody runs. $1 limit
select i.team, i.id
from import i
where i.status = 'running' and i.deleted_at is null and (i.claimed_until is null or i.claimed_until <= now())
order by i.started_at, i.id
limit $1

-- name: claim
-- For so many seconds unless it is renewed; nothing where somebody else has it, or it is not to be run. $1 team,
-- $2 import, $3 who claims it, $4 seconds
update import
set claimed_by = $3, claimed_until = now() + make_interval(secs => $4)
where team = $1 and id = $2 and status = 'running' and deleted_at is null
    and (claimed_by is null or claimed_by = $3 or claimed_until <= now())
returning id

-- name: renew
-- Whether it still is the claimer's and to be run; its row is held until the transaction ends. $1 team, $2 import, $3 who
-- claimed it, $4 seconds
update import
set claimed_until = now() + make_interval(secs => $4)
where team = $1 and id = $2 and status = 'running' and deleted_at is null and claimed_by = $3
returning position

-- name: release
-- $1 team, $2 import, $3 who claimed it
update import set claimed_by = null, claimed_until = null where team = $1 and id = $2 and claimed_by = $3

-- name: advance
-- $1 team, $2 import, $3 line, $4 rows done, $5 created, $6 changed, $7 equal, $8 refused, $9 at
update import
set position = $3, done = done + $4, created = created + $5, changed = changed + $6, equal = equal + $7,
    refused = refused + $8, updated_at = $9
where team = $1 and id = $2

-- name: rows_behind
-- $1 team, $2 import, $3 behind which line, $4 limit
select r.line, r.cells, r.fault
from import_row r
where r.team = $1 and r.import = $2 and r.line > $3
order by r.line
limit $4

-- name: rows_of
-- $1 team, $2 import, $3 lines
select r.line, r.cells, r.fault
from import_row r
where r.team = $1 and r.import = $2 and r.line = any ($3::bigint[])
order by r.line

-- name: results
-- In the order of the file. $1 team, $2 import, $3 of a trial, $4 behind which line, $5 and number, $6 limit, $7 outcomes
select
    s.line, s.number, s.outcome, s.key, s.customer, s.pointer, s.column_name, s.code, s.reason, s.changes
from import_result s
where s.team = $1 and s.import = $2 and s.is_trial = $3 and (s.line, s.number) > ($4::bigint, $5::smallint)
    and s.outcome = any ($7::text[])
order by s.line, s.number
limit $6

-- name: refused_rows
-- Rows that were refused, with all reasons. $1 team, $2 import, $3 of a trial, $4 behind which line, $5 limit
with piece as (
    select s.line, string_agg(
        concat_ws(': ', coalesce(s.column_name, nullif(substr(s.pointer, 2), '')), s.reason), '; ' order by s.number
    ) as reason
    from import_result s
    where s.team = $1 and s.import = $2 and s.is_trial = $3 and s.line > $4 and s.outcome = 'refused'
    group by s.line
    order by s.line
    limit $5
)
select r.line, r.cells, r.fault, p.reason
from piece p
join import_row r on r.team = $1 and r.import = $2 and r.line = p.line
order by r.line

-- name: forget_results
-- A piece of what came of the rows; how many went. $1 team, $2 import, $3 of a trial, $4 limit
with old as (
    select s.line, s.number from import_result s
    where s.team = $1 and s.import = $2 and s.is_trial = $3
    order by s.line, s.number
    limit $4
)
delete from import_result o using old
where o.team = $1 and o.import = $2 and o.is_trial = $3 and o.line = old.line and o.number = old.number

-- name: forget_rows
-- A piece of the rows, behind a line; the last line of the piece. $1 team, $2 import, $3 behind which line, $4 limit,
-- $5 whether those that were refused stay
with piece as materialized (
    select max(n.line) as last from (
        select r.line from import_row r where r.team = $1 and r.import = $2 and r.line > $3 order by r.line limit $4
    ) n
), kept as materialized (
    select s.line from import_result s
    where s.team = $1 and s.import = $2 and not s.is_trial and s.outcome = 'refused' and s.line > $3
        and s.line <= (select p.last from piece p) and $5
), gone as (
    delete from import_row o
    where o.team = $1 and o.import = $2 and o.line > $3 and o.line <= (select p.last from piece p)
        and o.line not in (select k.line from kept k)
)
select last from piece

-- name: mark_empty
-- Nothing is left of the rows, for it was too old. $1 team, $2 import
update import set is_kept = false where team = $1 and id = $2

-- name: list_teams_with_old
-- $1 before
select distinct i.team from import i where i.is_kept and i.updated_at < $1

-- name: list_old
-- What nobody runs, and nobody has touched since. $1 team, $2 before
select i.id from import i
where i.team = $1 and i.is_kept and i.updated_at < $2 and (i.status <> 'running' or i.claimed_until is null)

-- name: erase_rows
-- In a piece of the staged rows whatever tells of the customer loses its cells; the last place of the piece.
-- $1 team, $2 behind import, $3 and line, $4 limit, $5 anchors, $6 expressions
with piece as materialized (
    select r.import, r.line, r.cells::text as text
    from import_row r
    where r.team = $1 and (r.import, r.line) > ($2::uuid, $3::bigint)
    order by r.import, r.line
    limit $4
), low as materialized (
    select p.import, p.line, p.text, lower(p.text) as folded from piece p where p.text is not null
), found as materialized (
    select w.import, w.line, w.text from low w where exists (
        select from unnest($5::text[]) as a (anchor) where strpos(w.folded, a.anchor) > 0
    )
), erased as (
    update import_row o set cells = null, fault = null
    from found f
    where o.team = $1 and o.import = f.import and o.line = f.line and f.text ~* any ($6::text[])
)
select import, line from piece order by import desc, line desc limit 1

-- name: erase_results
-- The same of what came of rows, also of those that are known to be of the customers; the last place of the piece.
-- $1 team, $2 behind import, $3 of a trial, $4 line, $5 and number, $6 limit, $7 anchors, $8 expressions, $9 customers
with piece as materialized (
    select s.import, s.is_trial, s.line, s.number, s.customer,
        concat_ws(E'\n', s.key, s.reason, s.changes::text) as text
    from import_result s
    where s.team = $1 and (s.import, s.is_trial, s.line, s.number) > ($2::uuid, $3::boolean, $4::bigint, $5::smallint)
    order by s.import, s.is_trial, s.line, s.number
    limit $6
), low as materialized (
    select p.import, p.is_trial, p.line, p.number, p.customer, p.text, lower(p.text) as folded from piece p
), found as materialized (
    select w.import, w.is_trial, w.line, w.number, w.customer, w.text from low w
    where w.customer = any ($9::uuid[]) or exists (
        select from unnest($7::text[]) as a (anchor) where strpos(w.folded, a.anchor) > 0
    )
), erased as (
    update import_result o set key = null, reason = null, changes = null
    from found f
    where o.team = $1 and o.import = f.import and o.is_trial = f.is_trial and o.line = f.line and o.number = f.number
        and (f.customer = any ($9::uuid[]) or f.text ~* any ($8::text[]))
)
select import, is_trial, line, number from piece
order by import desc, is_trial desc, line desc, number desc
limit 1
