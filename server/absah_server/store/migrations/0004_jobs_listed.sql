-- What operators look for is rare among jobs that ended well. Those that have not ended are found by
-- procrastinate's own index of them.
create index jobs_ended_otherwise on procrastinate_jobs (id)
    where status in ('failed', 'cancelled', 'aborted');
