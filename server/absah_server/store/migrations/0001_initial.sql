-- What Absah keeps. Times are timestamptz in UTC, digests SHA-256 as 32 bytes, ids UUIDs of
-- version 7, which grow with time. Jobs are procrastinate's own tables:
-- include: procrastinate

create table validations (
    id uuid primary key,
    tenant text not null,
    client text not null,
    -- '' where the client gave none.
    request_id text not null,
    request_digest bytea not null,
    state text not null
        check (state in ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    -- As 'field-report@1'; '' where checkers were listed.
    policy text not null,
    decision text check (decision in ('ACCEPT', 'REVIEW', 'REJECT')),
    priority smallint not null,
    -- What was asked, without contents: checkers, claims, documents by digest. It is json, here and
    -- below, where a text from outside may hold U+0000, which jsonb refuses.
    request json not null,
    record json not null,
    verdict json,
    error json,
    -- Counts attempts; a worker's writes hold only while its attempt is the latest.
    attempt integer not null default 0,
    -- Attempts up to this one were before an operator's retry: their failures count no longer.
    attempts_forgiven integer not null default 0,
    job_id bigint,
    create_time timestamptz not null,
    update_time timestamptz not null,
    -- When its contents (claims, texts, what only it needed of documents) were erased.
    erase_time timestamptz
);

create unique index validations_request on validations (tenant, request_id, client)
    where request_id <> '';
-- One index for each way to list, which pages go by. Their order is that of the ids; the time is in
-- it so that no list is ever read by the primary key, past the rows of all other tenants.
create index validations_listed on validations (tenant, create_time desc, id desc);
create index validations_by_state on validations (tenant, state, create_time desc, id desc);
create index validations_by_decision on validations (
    tenant, decision, create_time desc, id desc
) where decision is not null;
-- By all versions of a policy.
create index validations_by_policy on validations (
    tenant, split_part(policy, '@', 1), create_time desc, id desc
);
create index validations_unerased on validations (create_time) where erase_time is null;
create index validations_unended on validations (update_time)
    where state in ('PENDING', 'RUNNING');

create table check_results (
    validation_id uuid not null references validations on delete cascade,
    -- In the order of the plan.
    position integer not null,
    checker text not null,
    document text not null,
    outcome text not null,
    result json not null,
    end_time timestamptz not null,
    primary key (validation_id, position)
);

-- Every run of a validation by a worker, those that broke too.
create table attempts (
    validation_id uuid not null references validations on delete cascade,
    attempt integer not null,
    worker text not null,
    start_time timestamptz not null,
    end_time timestamptz,
    -- SUCCEEDED, FAILED, CANCELLED, RETRIED or, where the worker was lost, LOST.
    outcome text,
    error json,
    primary key (validation_id, attempt)
);

-- Contents by digest, of each tenant its own; the bytes themselves lie in the blob store.
create table documents (
    tenant text not null,
    sha256 bytea not null,
    size_bytes bigint not null,
    media_type text not null,
    state text not null check (state in ('UPLOADING', 'READY', 'DELETED')),
    create_time timestamptz not null,
    update_time timestamptz not null,
    -- Until when it is kept though no validation needs it; null lets it go with the last that does.
    expire_time timestamptz,
    primary key (tenant, sha256)
);

create index documents_expiring on documents (expire_time) where expire_time is not null;
create index documents_by_digest on documents (sha256) where state <> 'DELETED';

-- Contents that nothing refers to, about to be removed. Who is about to refer to one renews its time
-- first, and is then left the time to do so.
create table unneeded_contents (
    sha256 bytea primary key,
    mark_time timestamptz not null
);

-- Which validation refers to which content, as its input or as an artifact of a check.
create table validation_documents (
    validation_id uuid not null references validations on delete cascade,
    -- 'photo-2' for an input, 'authenticity photo-2 heatmap 1' for an artifact.
    document text not null,
    tenant text not null,
    sha256 bytea not null,
    artifact boolean not null default false,
    primary key (validation_id, document)
);

create index validation_documents_by_digest on validation_documents (tenant, sha256);

-- Verdicts of REVIEW, which wait for a person.
create table reviews (
    validation_id uuid primary key references validations on delete cascade,
    tenant text not null,
    policy text not null,
    state text not null check (state in ('WAITING', 'CLAIMED', 'DECIDED')),
    reviewer text not null default '',
    create_time timestamptz not null,
    claim_expire_time timestamptz,
    decision text check (decision in ('ACCEPT', 'REJECT')),
    reason text,
    decide_time timestamptz
);

create index reviews_open on reviews (tenant, validation_id) where state <> 'DECIDED';
create index reviews_by_state on reviews (tenant, state, validation_id);

-- Validations as they are told of, without what only a worker needs.
create view shown_validations as
select
    validations.id, validations.tenant, validations.client, validations.request_id,
    validations.request_digest, validations.state, validations.policy, validations.decision,
    validations.record, validations.verdict, validations.error, validations.create_time,
    validations.update_time, reviews.decision as human_decision, reviews.reason as human_reason,
    reviews.reviewer, reviews.decide_time
from validations left join reviews on reviews.validation_id = validations.id;

-- The audit log. An event is written with the change that it tells of, in one transaction; a
-- sealer then gives it its place in the tenant's chain, where each hash covers the one before.
create table audit_events (
    id bigint generated always as identity primary key,
    tenant text not null,
    event_time timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    details jsonb not null,
    sequence bigint,
    hash bytea,
    check ((sequence is null) = (hash is null)),
    unique (tenant, sequence)
);

create index audit_events_unsealed on audit_events (id) where sequence is null;
create index audit_events_by_subject on audit_events (tenant, subject);

-- Where each tenant's chain ends; it tells when the log's last events are missing.
create table audit_chains (
    tenant text primary key,
    sequence bigint not null,
    hash bytea not null
);

-- Results of checks by what they depended on, so that nothing is inferred twice. They hold what was
-- read in a document, and go when its content does.
create table cached_results (
    key bytea primary key,
    tenant text not null,
    sha256 bytea not null,
    result json not null,
    create_time timestamptz not null,
    use_time timestamptz not null
);

create index cached_results_unused on cached_results (use_time);
create index cached_results_by_digest on cached_results (sha256);
