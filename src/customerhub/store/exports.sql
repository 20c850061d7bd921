-- Customers by the million, for those who take all of them away. `{…}` marks what `exports.py` fills with column names
-- and with the filters of `lists.sql`; values are always parameters.

-- name: live
-- The oldest first. $1 team, further ones as the filters say
select {columns} from customer c where c.team = $1 and c.deleted_at is null{filters} order by c.created_at, c.id

-- name: canonical
-- The same, the members of the canonical form as text (model/canonical.py). $1 team, further ones as the filters say
select
    c.id::text, c.version,
    replace(to_char(c.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z'),
    replace(to_char(c.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z'),
    c.created_by::text, c.updated_by::text, c.name, c.number, c.display_name, c.reference_id, c.first_name, c.last_name,
    c.email, c.phone, c.website, c.note, c.status, c.standing, c.payment_term::text, c.shipping_term::text,
    c.carrier::text, c.service_level::text, c.payment_mode, array_to_json(c.sales_reps)::text,
    c.default_sales_rep::text, c.price_list::text, array_to_json(c.price_groups)::text, c.type_group::text, c.priority,
    c.commission_policy, c.freight_policy, c.is_edi_enabled, c.carrier_billing_type, c.carrier_billing_account,
    c.credit_limit::text, c.accepts_invoice_emails, c.tax_number, c.tax_excluded, c.tax_auto_calculate, c.addresses,
    c.contacts, c.attributes, c.bill_to::text, c.ship_to::text, c.primary_contact::text, c.parent::text, null,
    c.merged_into::text, c.credit_limit_unit::text
from customer c
where c.team = $1 and c.deleted_at is null{filters}
order by c.created_at, c.id

-- name: present
-- As they stand now, but those that were there at a time: not those made later, those that are deleted since. The oldest
-- first. $1 team, $2 time, further ones as the filters say
select {columns}
from (
    select c.* from customer c
    where c.team = $1 and c.deleted_at is null and c.created_at <= $2{filters}
    union all
    select c.* from customer c
    where c.team = $1 and c.deleted_at > $2 and c.created_at <= $2{filters}
) c
order by c.created_at, c.id

-- name: list_until
-- What the history says of customers up to a time, version by version. $1 team, $2 customers, $3 time
select
    c.customer, c.version, c.at, c.action, c.actor, c.actor_name, c.credential, c.dialect, c.request_id, c.changes,
    c.ignored
from change c
where c.team = $1 and c.customer = any ($2::uuid[]) and c.at <= $3
order by c.customer, c.version

-- name: count_gone
-- Those that have changed since a time and of whose state at that time nobody knows any more: no whole record is kept
-- from before it, or some of what changed after that was erased. $1 team, $2 time, further ones as the filters say
select count(*)
from (
    select c.id, c.created_at, c.reference_id, c.email_key from customer c
    where c.team = $1 and c.deleted_at is null and c.created_at <= $2 and c.updated_at > $2{filters}
    union all
    select c.id, c.created_at, c.reference_id, c.email_key from customer c
    where c.team = $1 and c.deleted_at > $2 and c.created_at <= $2{filters}
) c
where not exists (
    select from change w
    where w.team = $1 and w.customer = c.id and w.at <= $2 and w.changes -> 0 ->> 'path' = '' and w.changes -> 0 ? 'new'
        and not exists (
            select from change e
            where e.team = $1 and e.customer = c.id and e.version > w.version and e.at <= $2
                and e.changes @> '[{{"erased": true}}]'
        )
)
