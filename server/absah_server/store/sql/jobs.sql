-- name: fetch
-- Takes up to so many jobs and begins an attempt at each one's validation. A job whose validation
-- has ended, is no more, or is being changed just now, comes without an attempt; it is ended, or
-- waits once more. Nothing here must survive a crash of PostgreSQL: if it is lost, the job waits as
-- it did before.
with quick as materialized (
    select set_config('synchronous_commit', 'off', true)
),
fetched as materialized (
    select absah_take_job(%(queue)s, %(worker_id)s) as job
    from quick, generate_series(1, %(count)s)
),
jobs as materialized (
    select
        (job).*,
        case when (job).args ->> 'validation_id' ~ '^[0-9a-f]{32}$'
            then ((job).args ->> 'validation_id')::uuid
        end as validation_id
    from fetched
    where (job).id is not null
),
free as materialized (
    -- Others lock a validation first and its job then: whoever waited here would wait for ever.
    select validations.id, jobs.id as job_id
    from jobs
    join validations on validations.id = jobs.validation_id
        and validations.state in ('PENDING', 'RUNNING')
    for no key update of validations skip locked
),
begun as (
    update validations set
        state = 'RUNNING',
        attempt = validations.attempt + 1,
        job_id = free.job_id,
        update_time = now()
    from free
    where validations.id = free.id
    returning validations.*
),
lost as (
    update attempts set outcome = 'LOST', end_time = now()
    from begun
    where attempts.validation_id = begun.id and begun.attempt > 1 and attempts.outcome is null
),
unfinished as (
    delete from check_results using begun
    where check_results.validation_id = begun.id and begun.attempt > 1
),
started as (
    insert into attempts (validation_id, attempt, worker, start_time)
    select id, attempt, %(worker)s, now() from begun
)
select
    jobs.id, jobs.status, jobs.task_name, jobs.priority, jobs.lock, jobs.queueing_lock, jobs.args,
    jobs.scheduled_at, jobs.queue_name, jobs.attempts, jobs.worker_id, jobs.validation_id,
    begun.tenant, begun.attempt, begun.request_id, begun.request, begun.record, begun.create_time,
    case when begun.attempt > 1 then (
        -- One that has no outcome is lost, or else this job would not have come back.
        select count(*) from attempts
        where attempts.validation_id = begun.id
            and attempts.attempt > begun.attempts_forgiven
            and (
                attempts.outcome is null
                or attempts.outcome = 'LOST'
                or (
                    attempts.outcome = 'RETRIED'
                    and attempts.error ->> 'reason' <> 'STORE_UNAVAILABLE'
                )
            )
    ) else 0 end as broken
from jobs
left join begun on begun.job_id = jobs.id

-- name: beat
-- Also brings back a worker that was held for dead.
insert into procrastinate_workers (id, last_heartbeat) overriding system value
values (%(worker_id)s, now())
on conflict (id) do update set last_heartbeat = now()

-- name: take_over
-- Lets the jobs of workers that are gone, or have not been heard of, wait once more.
with taken as materialized (
    select job.id
    from procrastinate_jobs as job
    left join procrastinate_workers as worker on worker.id = job.worker_id
    where job.status = 'doing'
        and job.queue_name = %(queue)s
        and (
            worker.id is null
            or worker.last_heartbeat < now() - make_interval(secs => %(stalled_after_seconds)s)
        )
    for update of job skip locked
)
select
    id,
    procrastinate_retry_job_v2(id, now(), null, null, null),
    pg_notify(
        'procrastinate_queue_v1#' || %(queue)s,
        json_build_object('type', 'job_inserted', 'job_id', id)::text
    )
from taken

-- name: reclaim
select procrastinate_retry_job_v2(job.id, now(), null, null, null)
from procrastinate_jobs as job
where job.worker_id = %(worker_id)s
    and job.status = 'doing'
    and job.queue_name = %(queue)s
    and not job.id = any(%(under_way)s)

-- name: forget_workers
-- Some of those that are not heard of and have no job left.
delete from procrastinate_workers where id in (
    select worker.id from procrastinate_workers as worker
    where worker.last_heartbeat < now() - make_interval(secs => %(stalled_after_seconds)s)
        and not exists (
            select from procrastinate_jobs as job
            where job.worker_id = worker.id and job.status = 'doing'
        )
    order by worker.last_heartbeat
    limit %(limit)s
    for update of worker skip locked
)

-- name: orphans
-- Validations that wait for a job which is not there; none should ever be found.
select validation.id, validation.priority, validation.policy
from validations as validation
left join procrastinate_jobs as job on job.id = validation.job_id
where validation.state in ('PENDING', 'RUNNING')
    and validation.update_time < now() - make_interval(secs => %(older_than_seconds)s)
    and (job.id is null or job.status not in ('todo', 'doing'))
order by validation.update_time
limit 100
for update of validation skip locked

-- name: finish
-- Ends jobs that this worker still has: one that was taken over is no longer its own. Unlike
-- procrastinate's function it lets go of the worker, since to forget one that all the jobs it ever
-- ended refer to would write each of them anew.
update procrastinate_jobs as job set
    status = ended.status::procrastinate_job_status,
    abort_requested = false,
    attempts = job.attempts + 1,
    worker_id = null
from unnest(%(job_id)s::bigint[], %(status)s::text[]) as ended (job_id, status)
where job.id = ended.job_id and job.status = 'doing' and job.worker_id = %(worker_id)s

-- name: finish_ended
-- Ends jobs of this worker whose validations have ended or are gone; the others are being worked
-- at anew, or will be. An attempt at one that has no end by then was that of a worker that died.
with ended as materialized (
    select job.id, validation.id as validation_id
    from procrastinate_jobs as job
    left join validations as validation on validation.id = case
        when job.args ->> 'validation_id' ~ '^[0-9a-f]{32}$'
            then (job.args ->> 'validation_id')::uuid
    end
    where job.id = any(%(job_id)s)
        and job.status = 'doing'
        and job.worker_id = %(worker_id)s
        and (validation.id is null or validation.state not in ('PENDING', 'RUNNING'))
),
lost as (
    update attempts set outcome = 'LOST', end_time = now() from ended
    where attempts.validation_id = ended.validation_id and attempts.outcome is null
)
update procrastinate_jobs as job set
    status = 'aborted', abort_requested = false, attempts = job.attempts + 1, worker_id = null
from ended
where job.id = ended.id and job.status = 'doing' and job.worker_id = %(worker_id)s

-- name: again
-- Lets jobs wait once more; those that need not wait are told to all workers.
select
    procrastinate_retry_job_v2(
        job.id, now() + make_interval(secs => retried.delay_seconds), null, null, null
    ),
    case when retried.delay_seconds = 0 then pg_notify(
        'procrastinate_queue_v1#' || job.queue_name,
        json_build_object('type', 'job_inserted', 'job_id', job.id)::text
    ) end
from unnest(%(job_id)s::bigint[], %(delay_seconds)s::float8[]) as retried (job_id, delay_seconds)
join procrastinate_jobs as job
    on job.id = retried.job_id and job.status = 'doing' and job.worker_id = %(worker_id)s

-- name: purge
-- Of the oldest jobs that ended, those that did so long ago. No more of them are looked at than may
-- be removed, since most of the time none is due.
delete from procrastinate_jobs where id in (
    select oldest.id
    from (
        select id from procrastinate_jobs
        where queue_name = %(queue)s and status = any(%(states)s::procrastinate_job_status[])
        order by id
        limit %(limit)s
    ) as oldest
    where not exists (
        select from procrastinate_events as event
        where event.job_id = oldest.id
            and event.at > now() - make_interval(secs => %(older_than_seconds)s)
    )
)
