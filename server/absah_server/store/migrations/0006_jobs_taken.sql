-- Takes the next job of a queue for a worker; null where none is due. Like procrastinate's own it lets
-- jobs of one lock run one after the other, the urgent first, then what came first. But a job that
-- waits for a later time holds up no other of its lock. Two that take at once may both choose one
-- lock: then the unique index of those under way refuses one of them.
create function absah_take_job(wanted_queue text, taker bigint) returns procrastinate_jobs
language plpgsql as $$
declare
    taken procrastinate_jobs;
begin
    with due as (
        select job.id from procrastinate_jobs as job
        where job.status = 'todo'
            and job.queue_name = wanted_queue
            and (job.scheduled_at is null or job.scheduled_at <= now())
            and (
                job.lock is null
                or not exists (
                    select from procrastinate_jobs as other
                    where other.lock = job.lock
                        and (
                            other.status = 'doing'
                            or (
                                other.status = 'todo'
                                and (other.scheduled_at is null or other.scheduled_at <= now())
                                and (other.priority, job.id) > (job.priority, other.id)
                            )
                        )
                )
            )
        order by job.priority desc, job.id
        limit 1
        for update of job skip locked
    )
    update procrastinate_jobs as job set status = 'doing', worker_id = taker
    from due
    where job.id = due.id
    returning job.* into taken;
    return taken;
end
$$;
