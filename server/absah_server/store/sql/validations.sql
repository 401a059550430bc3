-- name: insert
-- Each row of a request id that is taken is left out; in one order everywhere, so that two
-- transactions never wait for each other.
insert into validations (
    id, tenant, client, request_id, request_digest, state, policy, decision, priority, request,
    record, verdict, error, create_time, update_time
)
select * from unnest(
    %(id)s::uuid[], %(tenant)s::text[], %(client)s::text[], %(request_id)s::text[],
    %(request_digest)s::bytea[], %(state)s::text[], %(policy)s::text[], %(decision)s::text[],
    %(priority)s::smallint[], %(request)s::json[], %(record)s::json[], %(verdict)s::json[],
    %(error)s::json[], %(create_time)s::timestamptz[], %(update_time)s::timestamptz[]
) as given (
    id, tenant, client, request_id, request_digest, state, policy, decision, priority, request,
    record, verdict, error, create_time, update_time
)
order by tenant, request_id, client
on conflict (tenant, request_id, client) where request_id <> '' do nothing
returning id

-- name: defer
-- One job for each validation to run, in procrastinate's own table and by its own function.
select procrastinate_defer_jobs_v1(array_agg(
    row(
        'validations', 'validate', priority, lock, null,
        jsonb_build_object('validation_id', id, 'trace', trace), null
    )::procrastinate_job_to_defer_v1
)) as job_ids
from unnest(%(id)s::text[], %(priority)s::integer[], %(lock)s::text[], %(trace)s::json[])
    as given (id, priority, lock, trace)

-- name: note_jobs
update validations set job_id = procrastinate_jobs.id from procrastinate_jobs
where procrastinate_jobs.id = any(%(job_ids)s)
    and validations.id = (procrastinate_jobs.args ->> 'validation_id')::uuid

-- name: find
-- The condition on the table's own column lets it be found by its index, which leaves '' out.
select shown_validations.*
from unnest(%(tenant)s::text[], %(client)s::text[], %(request_id)s::text[])
    as wanted (tenant, client, request_id)
join shown_validations using (tenant, client, request_id)
where shown_validations.request_id <> ''

-- name: get
select * from shown_validations
where tenant = %(tenant)s and id = %(id)s

-- name: list_all
-- This and the ones below go by an index each, from id to lower ids; what else is asked for is
-- looked at on the way.
select * from shown_validations
where tenant = %(tenant)s
    and (create_time, id) < (%(before_time)s, %(before)s)
    and (%(start_time)s::timestamptz is null or create_time >= %(start_time)s)
order by create_time desc, id desc
limit %(limit)s

-- name: list_by_state
select * from shown_validations
where tenant = %(tenant)s and state = %(state)s
    and (create_time, id) < (%(before_time)s, %(before)s)
    and (%(start_time)s::timestamptz is null or create_time >= %(start_time)s)
order by create_time desc, id desc
limit %(limit)s

-- name: list_by_decision
select * from shown_validations
where tenant = %(tenant)s and decision = %(decision)s
    and (%(state)s::text is null or state = %(state)s)
    and (create_time, id) < (%(before_time)s, %(before)s)
    and (%(start_time)s::timestamptz is null or create_time >= %(start_time)s)
order by create_time desc, id desc
limit %(limit)s

-- name: list_by_policy
select * from shown_validations
where tenant = %(tenant)s
    and split_part(policy, '@', 1) = %(policy_name)s
    and (%(policy)s::text is null or policy = %(policy)s)
    and (%(decision)s::text is null or decision = %(decision)s)
    and (%(state)s::text is null or state = %(state)s)
    and (create_time, id) < (%(before_time)s, %(before)s)
    and (%(start_time)s::timestamptz is null or create_time >= %(start_time)s)
order by create_time desc, id desc
limit %(limit)s

-- name: list_by_request
-- As many as clients used the id; they are sorted.
select * from shown_validations
where tenant = %(tenant)s
    and request_id = %(request_id)s and request_id <> ''
    and (%(policy_name)s::text is null or split_part(policy, '@', 1) = %(policy_name)s)
    and (%(policy)s::text is null or policy = %(policy)s)
    and (%(decision)s::text is null or decision = %(decision)s)
    and (%(state)s::text is null or state = %(state)s)
    and (create_time, id) < (%(before_time)s, %(before)s)
    and (%(start_time)s::timestamptz is null or create_time >= %(start_time)s)
order by create_time desc, id desc
limit %(limit)s

-- name: results
select validation_id, result from check_results
where validation_id = any(%(id)s) order by validation_id, position

-- name: cancel
-- Its job goes with it where no worker has it yet; a worker that has it is told by the notice, and
-- finds that it may write no more.
with cancelled as (
    update validations set state = 'CANCELLED', error = %(error)s, update_time = now()
    where tenant = %(tenant)s and id = %(id)s and state in ('PENDING', 'RUNNING')
    returning id, job_id
),
lost as (
    -- Where the job waits, an attempt without an end was that of a worker that died.
    update attempts set outcome = 'LOST', end_time = now()
    from cancelled join procrastinate_jobs as job on job.id = cancelled.job_id
    where job.status = 'todo'
        and attempts.validation_id = cancelled.id
        and attempts.outcome is null
)
select id, procrastinate_cancel_job_v1(job_id, false, false) from cancelled

-- name: write_results
insert into check_results (
    validation_id, position, checker, document, outcome, result, end_time
)
select * from unnest(
    %(validation_id)s::uuid[], %(position)s::integer[], %(checker)s::text[], %(document)s::text[],
    %(outcome)s::text[], %(result)s::json[], %(end_time)s::timestamptz[]
)
on conflict (validation_id, position) do update set
    checker = excluded.checker,
    document = excluded.document,
    outcome = excluded.outcome,
    result = excluded.result,
    end_time = excluded.end_time

-- name: refer
insert into validation_documents (validation_id, document, tenant, sha256, artifact)
select * from unnest(
    %(validation_id)s::uuid[], %(document)s::text[], %(tenant)s::text[], %(sha256)s::bytea[],
    %(artifact)s::boolean[]
)
on conflict do nothing

-- name: await_review
insert into reviews (validation_id, tenant, policy, state, create_time)
select *, 'WAITING', now() from unnest(%(validation_id)s::uuid[], %(tenant)s::text[], %(policy)s::text[])
on conflict do nothing

-- name: notify
select pg_notify('absah_validations', replace(id::text, '-', '')) from unnest(%(id)s::uuid[]) as id
