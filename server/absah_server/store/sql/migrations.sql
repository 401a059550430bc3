-- name: create_table
create table if not exists schema_migrations (
    version integer primary key,
    name text not null,
    sha256 bytea not null,
    apply_time timestamptz not null default now()
)

-- name: take_turn
-- One migrator at a time; the number is this program's own choice.
select pg_try_advisory_xact_lock(7105401) as mine

-- name: limit_waiting
-- Rather fail and be called again than make old servers queue behind a lock that is waited for.
set local lock_timeout = '5s'

-- name: take_time
-- Over a large table a step may take longer than any statement of a server.
set local statement_timeout = 0

-- name: exists
select to_regclass('schema_migrations') is not null as found

-- name: applied
select version, name, sha256, apply_time from schema_migrations order by version

-- name: record
insert into schema_migrations (version, name, sha256) values (%(version)s, %(name)s, %(sha256)s)
