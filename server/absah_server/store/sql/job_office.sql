-- name: page
-- By the order of their ids, from high to low. There are partial indexes for the states that are
-- rare, which PostgreSQL takes since it plans with the states at hand.
select
    job.id, job.status, job.lock, job.scheduled_at, validation.id as validation_id,
    validation.policy, validation.priority, validation.attempt, validation.create_time,
    last.attempt as number, last.worker, last.start_time, last.end_time, last.outcome, last.error
from procrastinate_jobs as job
join validations as validation on validation.id = case
    when job.args ->> 'validation_id' ~ '^[0-9a-f]{32}$'
        then (job.args ->> 'validation_id')::uuid
end
left join attempts as last
    on last.validation_id = validation.id and last.attempt = validation.attempt
where job.queue_name = 'validations'
    and validation.tenant = %(tenant)s
    and (
        %(statuses)s::procrastinate_job_status[] is null
        or job.status = any(%(statuses)s::procrastinate_job_status[])
    )
    and (%(policy)s::text is null or validation.policy = %(policy)s)
    and (%(policy_name)s::text is null or split_part(validation.policy, '@', 1) = %(policy_name)s)
    and (%(job_id)s::bigint is null or job.id = %(job_id)s)
    and (%(before)s::bigint is null or job.id < %(before)s)
order by job.id desc
limit %(limit)s

-- name: job_of
select job_id from validations where tenant = %(tenant)s and id = %(validation_id)s

-- name: attempts
select attempt as number, worker, start_time, end_time, outcome, error
from attempts where validation_id = %(validation_id)s
order by attempt

-- name: lock
-- A job and its validation, which stay as they are until the transaction ends. The validation is
-- locked first, as all do that lock both.
select validation.id as validation_id, validation.state, job.status,
    job.scheduled_at is not null as scheduled, validation.erase_time is not null as erased
from validations as validation
join procrastinate_jobs as job on job.id = validation.job_id
where validation.tenant = %(tenant)s
    and validation.id = (
        select (args ->> 'validation_id')::uuid from procrastinate_jobs
        where id = %(job_id)s
            and queue_name = 'validations'
            and args ->> 'validation_id' ~ '^[0-9a-f]{32}$'
    )
    and job.id = %(job_id)s
for update of validation

-- name: documents
select distinct sha256 from validation_documents
where tenant = %(tenant)s
    and validation_id = (
        select (args ->> 'validation_id')::uuid from procrastinate_jobs
        where id = %(job_id)s
            and queue_name = 'validations'
            and args ->> 'validation_id' ~ '^[0-9a-f]{32}$'
    )
    and not artifact

-- name: reopen
-- A FAILED validation waits once more, with its attempts counted anew.
update validations set
    state = 'PENDING', error = null, attempts_forgiven = attempt, update_time = now()
where id = %(validation_id)s and state = 'FAILED'

-- name: forgive
update validations set attempts_forgiven = attempt where id = %(validation_id)s

-- name: retry_failed
select procrastinate_retry_job_v2(%(job_id)s, now(), null, null, null)

-- name: hasten
-- If a worker is just fetching it, that is as good.
update procrastinate_jobs set scheduled_at = null
where id = (
    select id from procrastinate_jobs where id = %(job_id)s and status = 'todo'
    for update skip locked
)

-- name: tell
select pg_notify(
    'procrastinate_queue_v1#validations',
    json_build_object('type', 'job_inserted', 'job_id', %(job_id)s::bigint)::text
)

-- name: purge
-- Those that are being changed just now, as by a retry, are left to that.
delete from procrastinate_jobs where id in (
    select job.id
    from procrastinate_jobs as job
    join validations as validation on validation.id = case
        when job.args ->> 'validation_id' ~ '^[0-9a-f]{32}$'
            then (job.args ->> 'validation_id')::uuid
    end
    where job.queue_name = 'validations'
        and validation.tenant = %(tenant)s
        and job.status::text = any(%(statuses)s::text[])
        and validation.update_time <= now() - make_interval(secs => %(older_than_seconds)s)
    limit %(limit)s
    for update of job skip locked
)
returning id
