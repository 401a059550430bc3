-- name: hold
-- Which of these attempts are still the latest of running validations; they stay so until the
-- transaction ends.
select validations.id
from unnest(%(validation_id)s::uuid[], %(attempt)s::integer[]) as own (validation_id, attempt)
join validations on validations.id = own.validation_id
    and validations.attempt = own.attempt
    and validations.state = 'RUNNING'
order by validations.id
for update of validations

-- name: conclude
update validations set
    state = ended.state,
    decision = ended.decision,
    record = ended.record,
    verdict = ended.verdict,
    error = ended.error,
    update_time = ended.update_time
from unnest(
    %(id)s::uuid[], %(state)s::text[], %(decision)s::text[], %(record)s::json[],
    %(verdict)s::json[], %(error)s::json[], %(update_time)s::timestamptz[]
) as ended (id, state, decision, record, verdict, error, update_time)
where validations.id = ended.id

-- name: wait
update validations set state = 'PENDING', update_time = now() where id = any(%(ids)s)

-- name: end
update attempts set outcome = ended.outcome, error = ended.error, end_time = now()
from unnest(
    %(validation_id)s::uuid[], %(attempt)s::integer[], %(outcome)s::text[], %(error)s::json[]
) as ended (validation_id, attempt, outcome, error)
where attempts.validation_id = ended.validation_id
    and attempts.attempt = ended.attempt
    and attempts.outcome is null

-- name: end_dropped
-- Of validations that have ended: the number may by now be that of a newer attempt at another.
update attempts set outcome = 'CANCELLED', end_time = now()
from unnest(%(validation_id)s::uuid[], %(attempt)s::integer[]) as own (validation_id, attempt)
join validations on validations.id = own.validation_id
    and validations.state not in ('PENDING', 'RUNNING')
where attempts.validation_id = own.validation_id
    and attempts.attempt = own.attempt
    and attempts.outcome is null

-- name: write_results
-- Of checks that ended in a validation that still runs. May be lost in a crash: what counts is
-- written with the verdict.
with quick as materialized (
    select set_config('synchronous_commit', 'off', true)
),
own as materialized (
    select validations.id
    from quick, validations
    where (validations.id, validations.attempt) in (
        select * from unnest(%(validation_id)s::uuid[], %(attempt)s::integer[])
    ) and validations.state = 'RUNNING'
    for share of validations
),
written as (
    insert into check_results (
        validation_id, position, checker, document, outcome, result, end_time
    )
    select given.validation_id, position, checker, document, outcome, result, end_time
    from unnest(
        %(validation_id)s::uuid[], %(position)s::integer[], %(checker)s::text[],
        %(document)s::text[], %(outcome)s::text[], %(result)s::json[], %(end_time)s::timestamptz[]
    ) as given (validation_id, position, checker, document, outcome, result, end_time)
    join own on own.id = given.validation_id
    on conflict (validation_id, position) do nothing
)
select pg_notify('absah_validations', replace(id::text, '-', '')) from own

-- name: of_validation
select attempt, worker, start_time, end_time, outcome, error
from attempts where validation_id = %(validation_id)s
order by attempt

-- name: latest
select validations.id
from unnest(%(validation_id)s::uuid[], %(attempt)s::integer[]) as own (validation_id, attempt)
join validations on validations.id = own.validation_id
    and validations.attempt = own.attempt
    and validations.state = 'RUNNING'
