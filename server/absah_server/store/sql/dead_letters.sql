-- name: note
-- Notes are taken one after another: the last one is how the message stands. One that is known
-- already changes nothing.
with message as (
    insert into dead_letters (
        tenant, system, message_key, queue, state, cause, field, position, problem, attempt,
        create_time, update_time
    )
    values (
        %(tenant)s, %(system)s, %(message_key)s, %(queue)s, %(outcome)s, %(cause)s, %(field)s,
        %(position)s, %(problem)s, %(attempt)s, %(event_time)s, %(event_time)s
    )
    -- Updated in any case, since only then is its id returned.
    on conflict (tenant, system, message_key) do update set system = excluded.system
    returning id
),
noted as (
    insert into message_attempts (
        note_id, dead_letter_id, attempt, outcome, cause, field, position, problem, actor,
        event_time
    )
    select
        %(note_id)s, message.id, %(attempt)s, %(outcome)s, %(cause)s, %(field)s, %(position)s,
        %(problem)s, %(actor)s, %(event_time)s
    from message
    on conflict (dead_letter_id, note_id) do nothing
    returning dead_letter_id
)
select dead_letter_id as id from noted

-- name: stand
-- What a person does keeps the cause by which the message was parked.
update dead_letters
set
    state = %(outcome)s,
    cause = case when %(by_person)s then cause else %(cause)s end,
    field = case when %(by_person)s then field else %(field)s end,
    position = case when %(by_person)s then position else %(position)s end,
    problem = case when %(by_person)s then problem else %(problem)s end,
    attempt = %(attempt)s,
    queue = %(queue)s,
    update_time = %(event_time)s
where id = %(id)s

-- name: groups
select
    system, cause, field, count(*) as dead_letter_count,
    min(update_time) as oldest_time, max(update_time) as newest_time
from dead_letters
where tenant = %(tenant)s and state = 'PARKED' and (%(system)s = '' or system = %(system)s)
group by system, cause, field
order by count(*) desc, system, cause, field
limit %(limit)s offset %(offset)s

-- name: listed
select *
from dead_letters
where
    tenant = %(tenant)s
    and state = %(state)s
    and (%(before)s::bigint is null or id < %(before)s)
    and (%(system)s = '' or system = %(system)s)
    and (%(cause)s = '' or cause = %(cause)s)
    and (%(field)s = '' or field = %(field)s)
order by id desc
limit %(limit)s

-- name: get
select * from dead_letters where tenant = %(tenant)s and id = %(id)s

-- name: attempts
select * from message_attempts where dead_letter_id = %(id)s order by event_time, note_id
