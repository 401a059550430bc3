-- Messages of legacy systems that were not answered at their first attempt, and what befell each.
-- The messages themselves stay with the broker.

create table dead_letters (
    id bigint generated always as identity primary key,
    tenant text not null,
    system text not null,
    -- The message's id, or 'body:' and the digest of its body.
    message_key text not null,
    queue text not null,
    -- The last thing that befell it.
    state text not null
        check (state in ('RETRIED', 'PARKED', 'REDRIVEN', 'DISCARDED', 'ANSWERED')),
    cause text not null,
    field text not null,
    position text not null,
    problem text not null,
    attempt integer not null,
    create_time timestamptz not null,
    update_time timestamptz not null,
    unique (tenant, system, message_key)
);

create index dead_letters_listed on dead_letters (tenant, state, id desc);
create index dead_letters_grouped on dead_letters (tenant, system, cause, field, update_time)
    where state = 'PARKED';

create table message_attempts (
    -- The bridge's own, so that what it notes twice is one.
    note_id text not null,
    dead_letter_id bigint not null references dead_letters on delete cascade,
    attempt integer not null,
    outcome text not null,
    cause text not null,
    field text not null,
    position text not null,
    problem text not null,
    actor text not null,
    event_time timestamptz not null,
    primary key (dead_letter_id, note_id)
);
