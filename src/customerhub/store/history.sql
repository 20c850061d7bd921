-- What happened: changes of customers and of everything else, as one list.
--
-- An event's mark tells it apart from others of the same moment: 80 bits of MD5 over its kind, subject and version.
-- `{…}` marks what `history.py` fills with the pieces below; values are always parameters.

-- name: page
-- In the order of time, from the newest or from the oldest. Braces mark what `history.py` fills with the pieces below.
-- $1 team, $2 limit, further ones as the pieces say
select * from ({sources}) e order by at {order}, mark {order} limit $2

-- name: changes
(
    select * from (
        select
            'customer' as kind, c.customer as subject, c.version, c.at, c.action, c.actor, c.actor_name, c.credential,
            c.dialect, c.request_id, c.changes,
            substr(md5('customer/' || c.customer || '/' || c.version), 13) as mark
        from change c
        where c.team = $1
    ) s
    where true{filters}
    order by at {order}, mark {order}
    limit $2
)

-- name: audits
(
    select * from (
        select
            a.kind, a.subject, a.version, a.at, a.action, a.actor, a.actor_name, a.credential,
            a.dialect, a.request_id, a.changes,
            substr(md5(a.kind || '/' || a.subject || '/' || a.version), 13) as mark
        from audit a
        where a.team = $1
    ) s
    where true{filters}
    order by at {order}, mark {order}
    limit $2
)

-- name: filter_kinds
 and kind = any ({0}::text[])

-- name: filter_subject
 and subject = {0}

-- name: filter_version
 and version = {0}

-- name: filter_actions
 and action = any ({0}::text[])

-- name: filter_actor
 and actor = {0}

-- name: filter_actors
 and actor = any ({0}::uuid[])

-- name: filter_request_id
 and request_id = {0}

-- name: filter_since
 and at >= {0}

-- name: filter_until
 and at <= {0}

-- name: filter_mark
 and mark = {0}

-- name: filter_after
 and at <= {0} and (at < {0} or mark < {1})

-- name: filter_before
 and at >= {0} and (at > {0} or mark > {1})
