-- outside a transaction
-- Whose jobs these are: to forget a worker, PostgreSQL looks for all that refer to it, ended or not.
-- An index of this name may be left, invalid, by a run that was broken off.
drop index concurrently if exists jobs_of_workers;

create index concurrently jobs_of_workers on procrastinate_jobs (worker_id)
    where worker_id is not null;
