-- name: append
-- The time is the transaction's: an event happens when its change does.
insert into audit_events (tenant, event_time, actor, action, subject, details)
values (%(tenant)s, now(), %(actor)s, %(action)s, %(subject)s, %(details)s)
