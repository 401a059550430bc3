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
    -- What was asked, without contents: checkers, claims, documents by digest.
    request jsonb not null,
    record jsonb not null,
    verdict jsonb,
    error jsonb,
    -- Counts attempts; a worker's writes hold only while its attempt is the latest.
    attempt integer not null default 0,
    job_id bigint,
    create_time timestamptz not null,
    update_time timestamptz not null
);

create unique index validations_request on validations (tenant, client, request_id)
    where request_id <> '';
-- One index for each way to list; all end in id, which pages go by.
create index validations_listed on validations (tenant, id desc);
create index validations_by_state on validations (tenant, state, id desc);
create index validations_by_decision on validations (tenant, decision, id desc);
create index validations_by_policy on validations (tenant, policy text_pattern_ops, id desc);
create index validations_unended on validations (update_time)
    where state in ('PENDING', 'RUNNING');

create table check_results (
    validation_id uuid not null references validations on delete cascade,
    -- In the order of the plan.
    position integer not null,
    checker text not null,
    document text not null,
    outcome text not null,
    result jsonb not null,
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
    error jsonb,
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
    -- When its content may go, if no validation needs it longer; null keeps it.
    expire_time timestamptz,
    primary key (tenant, sha256)
);

create index documents_expiring on documents (expire_time) where state <> 'DELETED';
create index documents_by_digest on documents (sha256) where state <> 'DELETED';

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

-- Results of checks by what they depended on, so that nothing is inferred twice.
create table cached_results (
    key bytea primary key,
    result jsonb not null,
    create_time timestamptz not null,
    use_time timestamptz not null
);

create index cached_results_unused on cached_results (use_time);
