-- name: lock
-- One at a time; the number is this program's own choice.
select pg_advisory_xact_lock(7105403)

-- name: mark
select sha256 from content_store

-- name: write_mark
insert into content_store (sha256) values (%(sha256)s)
on conflict (single) do update set sha256 = excluded.sha256
