-- name: keep
-- What a validation refers to: without a time to expire at, it goes with the last validation that
-- needs it. One that was uploaded keeps its time, one that was deleted is there again. In one order
-- everywhere, so that two transactions never wait for each other.
insert into documents as kept (
    tenant, sha256, size_bytes, media_type, state, create_time, update_time, expire_time
)
select %(tenant)s, sha256, size_bytes, media_type, 'READY', now(), now(), null
from unnest(%(sha256)s::bytea[], %(size_bytes)s::bigint[], %(media_type)s::text[])
    as given (sha256, size_bytes, media_type)
order by sha256
on conflict (tenant, sha256) do update set
    size_bytes = excluded.size_bytes,
    media_type = excluded.media_type,
    state = 'READY',
    update_time = now(),
    expire_time = case when kept.state = 'READY' then kept.expire_time end

-- name: hold
-- A lock keeps whoever purges or deletes from them until the transaction that refers to them ends.
select sha256, size_bytes, media_type from documents
where tenant = %(tenant)s and sha256 = any(%(sha256s)s) and state = 'READY'
order by sha256
for update

-- name: is_ready
select exists (
    select from documents
    where tenant = %(tenant)s and sha256 = %(sha256)s and state = 'READY'
) as ready

-- name: sizes
select sha256, size_bytes from documents
where tenant = %(tenant)s and sha256 = any(%(sha256s)s) and state = 'READY'

-- name: spare
-- In one order, so that two who spare the same do not wait for each other.
with spared as (
    select sha256 from unneeded_contents where sha256 = any(%(sha256s)s) order by sha256 for update
)
update unneeded_contents set mark_time = now() from spared
where unneeded_contents.sha256 = spared.sha256

-- name: find
select sha256, state, size_bytes, media_type, create_time, expire_time from documents
where tenant = %(tenant)s and sha256 = %(sha256)s

-- name: begin_upload
insert into documents as kept (
    tenant, sha256, size_bytes, media_type, state, create_time, update_time, expire_time
)
values (
    %(tenant)s, %(sha256)s, %(size_bytes)s, '', 'UPLOADING', now(), now(),
    now() + make_interval(secs => %(keep_seconds)s)
)
on conflict (tenant, sha256) do update set
    size_bytes = excluded.size_bytes,
    state = 'UPLOADING',
    update_time = now(),
    expire_time = excluded.expire_time
where kept.state <> 'READY'

-- name: finish_upload
insert into documents as kept (
    tenant, sha256, size_bytes, media_type, state, create_time, update_time, expire_time
)
values (
    %(tenant)s, %(sha256)s, %(size_bytes)s, %(media_type)s, 'READY', now(), now(),
    now() + make_interval(secs => %(keep_seconds)s)
)
on conflict (tenant, sha256) do update set
    size_bytes = excluded.size_bytes,
    media_type = excluded.media_type,
    state = 'READY',
    update_time = now(),
    expire_time = excluded.expire_time
returning sha256, state, size_bytes, media_type, create_time, expire_time

-- name: renew
-- One that goes with the last validation stays as long too, though that is purged before.
update documents set
    update_time = now(),
    expire_time = greatest(expire_time, now() + make_interval(secs => %(keep_seconds)s))
where tenant = %(tenant)s and sha256 = %(sha256)s and state = 'READY'
returning sha256, state, size_bytes, media_type, create_time, expire_time

-- name: lock
-- Before it is asked who needs it: whoever begins to need it holds it too, and is waited for.
select sha256, state, size_bytes, media_type, create_time, expire_time from documents
where tenant = %(tenant)s and sha256 = %(sha256)s
for update

-- name: is_in_use
select exists (
    select from validation_documents
    join validations on validations.id = validation_documents.validation_id
    where validation_documents.tenant = %(tenant)s
        and validation_documents.sha256 = %(sha256)s
        and validations.state in ('PENDING', 'RUNNING')
) as in_use

-- name: delete
update documents set state = 'DELETED', update_time = now(), expire_time = null
where tenant = %(tenant)s and sha256 = %(sha256)s

-- name: reading_validations
-- Those that it was an input of, some at a time, and that are not erased yet.
select id, verdict from validations
where id in (
    select validation_id from validation_documents
    where tenant = %(tenant)s
        and sha256 = %(sha256)s
        and not artifact
        and validation_id > %(after)s
)
    and erase_time is null
order by id
limit %(limit)s
for update

-- name: readings
-- The results of checks of this document; others of the same validations stay.
select validation_id, position, result from check_results
join validation_documents using (validation_id, document)
where validation_id = any(%(ids)s)
    and tenant = %(tenant)s
    and sha256 = %(sha256)s
    and not artifact

-- name: erase_verdicts
update validations set verdict = given.verdict
from unnest(%(ids)s::uuid[], %(verdicts)s::json[]) as given (id, verdict)
where validations.id = given.id

-- name: mark_unneeded
-- Its content goes after a while, if no row of any tenant refers to it by then.
insert into unneeded_contents (sha256, mark_time)
select sha256, now() from unnest(%(sha256s)s::bytea[]) as given (sha256) order by sha256
on conflict (sha256) do update set mark_time = now()
