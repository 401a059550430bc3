-- name: request
-- What was asked is not there any more, in part, once its contents are erased.
select request, erase_time is not null as erased from validations
where tenant = %(tenant)s and id = %(id)s
