-- name: erase_results
update check_results set result = given.result
from unnest(%(validation_ids)s::uuid[], %(positions)s::integer[], %(results)s::json[])
    as given (validation_id, position, result)
where check_results.validation_id = given.validation_id
    and check_results.position = given.position
