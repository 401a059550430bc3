-- name: get
select
    reviews.*, validations.verdict,
    reviews.state = 'CLAIMED' and reviews.claim_expire_time <= now() as expired
from reviews
join validations on validations.id = reviews.validation_id
where reviews.tenant = %(tenant)s and reviews.validation_id = %(id)s

-- name: open
-- Those that wait or are claimed, the oldest first: ids grow with time.
select *, state = 'CLAIMED' and claim_expire_time <= now() as expired
from reviews
where
    tenant = %(tenant)s
    and validation_id > %(after)s
    and state <> 'DECIDED'
    and (%(claimed)s::boolean is null
        or (state = 'CLAIMED' and claim_expire_time > now()) = %(claimed)s)
    and (%(policy)s = '' or policy = %(policy)s or starts_with(policy, %(policy)s || '@'))
    and (%(reviewer)s = ''
        or (reviewer = %(reviewer)s and state = 'CLAIMED' and claim_expire_time > now()))
order by validation_id
limit %(limit)s

-- name: decided
select *, false as expired
from reviews
where
    tenant = %(tenant)s
    and validation_id > %(after)s
    and state = 'DECIDED'
    and (%(policy)s = '' or policy = %(policy)s or starts_with(policy, %(policy)s || '@'))
    and (%(reviewer)s = '' or reviewer = %(reviewer)s)
order by validation_id
limit %(limit)s

-- name: claim
-- Of two at once, the second waits for the first and then finds its condition unmet.
update reviews
set
    state = 'CLAIMED',
    reviewer = %(reviewer)s,
    claim_expire_time = now() + %(seconds)s * interval '1 second'
where
    tenant = %(tenant)s
    and validation_id = %(id)s
    and (
        state = 'WAITING'
        or (state = 'CLAIMED' and (reviewer = %(reviewer)s or claim_expire_time <= now()))
    )
returning claim_expire_time

-- name: release
update reviews
set state = 'WAITING', reviewer = '', claim_expire_time = null
where
    tenant = %(tenant)s
    and validation_id = %(id)s
    and state = 'CLAIMED'
    and reviewer = %(reviewer)s
    and claim_expire_time > now()
returning validation_id

-- name: decide
update reviews
set
    state = 'DECIDED',
    claim_expire_time = null,
    decision = %(decision)s,
    reason = %(reason)s,
    decide_time = now()
where
    tenant = %(tenant)s
    and validation_id = %(id)s
    and state = 'CLAIMED'
    and reviewer = %(reviewer)s
    and claim_expire_time > now()
returning decide_time
