-- name: due_validations
-- Those that ended, that no person is still to decide on, and whose time is over: that of their
-- policy's version, of the newest one where that is gone, or else the default. Others may be at it:
-- what they have locked is left to them.
select id, tenant, request, record, verdict from validations
left join unnest(%(policies)s::text[], %(cutoffs)s::timestamptz[]) as kept (policy, cutoff)
    using (policy)
left join unnest(%(policies)s::text[], %(cutoffs)s::timestamptz[]) as newest (name, cutoff)
    on newest.name = split_part(policy, '@', 1)
where erase_time is null
    and create_time < %(latest)s
    and create_time < case
        when kept.policy is not null then kept.cutoff
        when newest.name is not null then newest.cutoff
        else %(default_cutoff)s::timestamptz
    end
    and state in ('SUCCEEDED', 'FAILED', 'CANCELLED')
    and not exists (
        select from reviews where reviews.validation_id = id and reviews.state <> 'DECIDED'
    )
order by create_time
limit %(limit)s
for update of validations skip locked

-- name: results
select validation_id, position, result from check_results
where validation_id = any(%(ids)s)

-- name: erase_validations
update validations set
    request = given.request,
    record = given.record,
    verdict = given.verdict,
    erase_time = now()
from unnest(%(ids)s::uuid[], %(requests)s::json[], %(records)s::json[], %(verdicts)s::json[])
    as given (id, request, record, verdict)
where validations.id = given.id

-- name: erase_reasons
-- In the reviewer's own words; the audit log keeps their digest.
update reviews set reason = '' where validation_id = any(%(ids)s) and reason is not null

-- name: lock_documents_of
-- Whoever has one locked is about to refer to it, or to delete it.
select tenant, sha256 from documents
where state = 'READY'
    and (expire_time is null or expire_time < now())
    and (tenant, sha256) in (
        select tenant, sha256 from validation_documents where validation_id = any(%(ids)s)
    )
for update skip locked

-- name: lock_expired
select tenant, sha256, state from documents
where expire_time < now()
order by expire_time
limit %(limit)s
for update skip locked

-- name: delete_unneeded
-- After the lock, so that what came to refer to them before is seen.
update documents set state = 'DELETED', update_time = now(), expire_time = null
from unnest(%(tenants)s::text[], %(sha256s)s::bytea[]) as locked (tenant, sha256)
where documents.tenant = locked.tenant
    and documents.sha256 = locked.sha256
    and not exists (
        select from validation_documents
        join validations on validations.id = validation_documents.validation_id
        where validation_documents.tenant = locked.tenant
            and validation_documents.sha256 = locked.sha256
            and validations.erase_time is null
    )
returning documents.tenant, documents.sha256, documents.size_bytes

-- name: keep_needed
-- Their own time is over: they go with the last validation.
update documents set expire_time = null
from unnest(%(tenants)s::text[], %(sha256s)s::bytea[]) as locked (tenant, sha256)
where documents.tenant = locked.tenant
    and documents.sha256 = locked.sha256
    and documents.expire_time is not null

-- name: drop_uploads
-- Nothing of them was ever a document, unless a validation knew it before.
with locked as (
    select tenant, sha256
    from unnest(%(tenants)s::text[], %(sha256s)s::bytea[]) as given (tenant, sha256)
), known as (
    update documents set state = 'DELETED', update_time = now(), expire_time = null
    from locked
    where documents.tenant = locked.tenant
        and documents.sha256 = locked.sha256
        and exists (
            select from validation_documents
            where validation_documents.tenant = locked.tenant
                and validation_documents.sha256 = locked.sha256
        )
    returning documents.tenant, documents.sha256
)
delete from documents using locked
where documents.tenant = locked.tenant
    and documents.sha256 = locked.sha256
    and (documents.tenant, documents.sha256) not in (select tenant, sha256 from known)

-- name: lock_unneeded
select sha256 from unneeded_contents
where mark_time <= now() - make_interval(secs => %(grace_seconds)s)
order by mark_time
limit %(limit)s
for update skip locked

-- name: still_needed
-- A statement of its own, after the lock: whoever refers to one spared it before that.
select sha256 from documents where sha256 = any(%(sha256s)s) and state = 'READY'
union select sha256 from content_store where sha256 = any(%(sha256s)s)

-- name: were_of
select count(*) as contents from documents
where sha256 = any(%(sha256s)s) and tenant = %(tenant)s

-- name: forget_unneeded
delete from unneeded_contents where sha256 = any(%(sha256s)s)

-- name: mark_unknown
insert into unneeded_contents (sha256, mark_time)
select sha256, now() from unnest(%(sha256s)s::bytea[]) as given (sha256)
where not exists (
    select from documents where documents.sha256 = given.sha256 and documents.state = 'READY'
)
    and not exists (select from content_store where content_store.sha256 = given.sha256)
order by sha256
on conflict do nothing

-- name: release_unneeded
-- Of the next so many. Who comes to refer to one meanwhile needs it when it is to be deleted.
with chosen as (
    select tenant, sha256 from documents
    where state = 'READY'
        and expire_time is null
        and (tenant, sha256) > (%(tenant)s, %(sha256)s)
    order by tenant, sha256
    limit %(limit)s
), released as (
    update documents set expire_time = now() from chosen
    where documents.tenant = chosen.tenant
        and documents.sha256 = chosen.sha256
        and documents.state = 'READY'
        and documents.expire_time is null
        and not exists (
            select from validation_documents
            join validations on validations.id = validation_documents.validation_id
            where validation_documents.tenant = chosen.tenant
                and validation_documents.sha256 = chosen.sha256
                and validations.erase_time is null
        )
)
select tenant, sha256 from chosen order by tenant desc, sha256 desc limit 1

-- name: due
with due_validations as (
    select id, tenant from validations
    left join unnest(%(policies)s::text[], %(cutoffs)s::timestamptz[]) as kept (policy, cutoff)
        using (policy)
    left join unnest(%(policies)s::text[], %(cutoffs)s::timestamptz[]) as newest (name, cutoff)
        on newest.name = split_part(policy, '@', 1)
    where erase_time is null
        and create_time < %(latest)s
        and create_time < case
            when kept.policy is not null then kept.cutoff
            when newest.name is not null then newest.cutoff
            else %(default_cutoff)s::timestamptz
        end
        and state in ('SUCCEEDED', 'FAILED', 'CANCELLED')
        and not exists (
            select from reviews where reviews.validation_id = id and reviews.state <> 'DECIDED'
        )
), due_documents as (
    select documents.tenant, documents.sha256, documents.size_bytes from documents
    where state = 'READY'
        and (
            expire_time < now()
            or expire_time is null and (tenant, sha256) in (
                select tenant, sha256 from validation_documents
                where validation_id in (select id from due_validations)
            )
        )
        and not exists (
            select from validation_documents
            join validations on validations.id = validation_documents.validation_id
            where validation_documents.tenant = documents.tenant
                and validation_documents.sha256 = documents.sha256
                and validations.erase_time is null
                and validations.id not in (select id from due_validations)
        )
)
select
    (select count(*) from due_validations where tenant = %(tenant)s) as validations,
    (select count(*) from due_documents where tenant = %(tenant)s) as documents,
    (
        select coalesce(sum(size_bytes), 0)::bigint from due_documents where tenant = %(tenant)s
    ) as size_bytes,
    (
        select count(*) from unneeded_contents
        where mark_time <= now() - make_interval(secs => %(grace_seconds)s)
            and not exists (
                select from documents
                where documents.sha256 = unneeded_contents.sha256 and documents.state = 'READY'
            )
            and exists (
                select from documents
                where documents.sha256 = unneeded_contents.sha256 and tenant = %(tenant)s
            )
    ) as contents,
    (
        select count(*) from documents
        where tenant = %(tenant)s and state = 'UPLOADING' and expire_time < now()
    ) as uploads
