-- name: find
select key, result from cached_results where key = any(%(keys)s)

-- name: keep
insert into cached_results (key, tenant, sha256, result, create_time, use_time)
select key, tenant, sha256, result, now(), now()
from unnest(%(keys)s::bytea[], %(tenants)s::text[], %(sha256s)s::bytea[], %(results)s::json[])
    as given (key, tenant, sha256, result)
-- In one order everywhere, so that two transactions never wait for each other.
order by key
on conflict (key) do nothing

-- name: lose_last
-- What a crash may take of a cache is made again; so it need not wait for the disk.
set local synchronous_commit = off

-- name: touch
-- Within an hour once is enough to tell what is in use.
update cached_results set use_time = now()
where key in (
    select key from cached_results
    where key = any(%(keys)s) and use_time < now() - interval '1 hour'
    order by key
    for update skip locked
)

-- name: purge
delete from cached_results
where key in (
    select key from cached_results
    where use_time < now() - %(seconds)s * interval '1 second'
    order by use_time
    limit %(limit)s
    for update skip locked
)

-- name: forget
delete from cached_results where sha256 = any(%(sha256s)s)
