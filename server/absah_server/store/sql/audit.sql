-- name: append
-- The time is the transaction's: an event happens when its change does.
insert into audit_events (tenant, event_time, actor, action, subject, details)
select tenant, now(), actor, action, subject, details
from unnest(
    %(tenants)s::text[], %(actors)s::text[], %(actions)s::text[], %(subjects)s::text[],
    %(details)s::jsonb[]
) as events (tenant, actor, action, subject, details)

-- name: try_sealing
-- One sealer at a time; the number is this program's own choice.
select pg_try_advisory_xact_lock(7105402) as mine

-- name: unsealed
-- Ids grow with time, but an earlier one may commit later: its place is then after later ones.
select
    id, tenant, actor, action, subject, details::text as details,
    to_char(event_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time
from audit_events
where sequence is null
order by id
limit %(limit)s

-- name: heads
select tenant, sequence, hash from audit_chains where tenant = any(%(tenants)s)

-- name: seal
update audit_events
set sequence = places.sequence, hash = places.hash
from unnest(%(ids)s::bigint[], %(sequences)s::bigint[], %(hashes)s::bytea[])
    as places (id, sequence, hash)
where audit_events.id = places.id

-- name: advance
insert into audit_chains (tenant, sequence, hash)
select * from unnest(%(tenants)s::text[], %(sequences)s::bigint[], %(hashes)s::bytea[])
on conflict (tenant) do update set sequence = excluded.sequence, hash = excluded.hash

-- name: sealed
-- By sequence alone an event of another's chain would be missed, hence also by tenant.
select
    id, tenant, actor, action, subject, details::text as details,
    to_char(event_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
    sequence, hash
from audit_events
where tenant = %(tenant)s and sequence > %(after)s
order by sequence
limit %(limit)s

-- name: sealed_at
select sequence, hash from audit_events where tenant = %(tenant)s and sequence = %(sequence)s

-- name: waiting
select
    count(*) as events,
    coalesce(extract(epoch from now() - min(event_time)), 0)::float as oldest_seconds
from audit_events
where sequence is null and tenant = %(tenant)s

-- name: untold
-- Of the next validations those that were decided without an event, and where to go on.
with page as (
    select validations.id, validations.decision, reviews.state as review
    from validations
    left join reviews on reviews.validation_id = validations.id
    where validations.tenant = %(tenant)s and validations.id > %(after)s
    order by validations.id
    limit %(limit)s
)
select
    page.id,
    (page.decision is not null and not exists (
        select from audit_events
        where tenant = %(tenant)s
            and subject = 'validations/' || replace(page.id::text, '-', '')
            and action = 'validation.decided'
    )) or (page.review = 'DECIDED' and not exists (
        select from audit_events
        where tenant = %(tenant)s
            and subject = 'validations/' || replace(page.id::text, '-', '')
            and action = 'review.decided'
    )) as untold
from page
order by id

-- name: at_one_time
set transaction isolation level repeatable read, read only

-- name: listed_waiting
-- Those that are not sealed yet, which are few; the newest first.
select
    id, tenant, actor, action, subject, details::text as details,
    to_char(event_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
    sequence, hash
from audit_events
where
    sequence is null
    and tenant = %(tenant)s
    and id < %(id_below)s
    and (%(subject)s = '' or subject = %(subject)s)
    and (%(actor)s = '' or actor = %(actor)s)
    and (%(action)s = '' or starts_with(action, %(action)s))
order by id desc
limit %(limit)s

-- name: listed
select
    id, tenant, actor, action, subject, details::text as details,
    to_char(event_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
    sequence, hash
from audit_events
where
    tenant = %(tenant)s
    and sequence < %(before)s
    and id < %(id_below)s
    and (%(actor)s = '' or actor = %(actor)s)
    and (%(action)s = '' or starts_with(action, %(action)s))
order by sequence desc
limit %(limit)s

-- name: listed_of_subject
-- Of one subject there are few, found by an index of their own.
select
    id, tenant, actor, action, subject, details::text as details,
    to_char(event_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
    sequence, hash
from audit_events
where
    tenant = %(tenant)s
    and subject = %(subject)s
    and sequence < %(before)s
    and id < %(id_below)s
    and (%(actor)s = '' or actor = %(actor)s)
    and (%(action)s = '' or starts_with(action, %(action)s))
order by sequence desc
limit %(limit)s
