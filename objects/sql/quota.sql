-- Quotas of buckets and accounts (limits_limit), asked by whatever makes a key current.
--
-- Usage is summed up from the counters as of the last commit: nothing is hot. Writers that are near the end of a quota
-- take turns (an advisory lock until they commit), so that there it is exact. Near is with less than a tenth left, or less
-- than 64 writes like this one: a quota can be passed only by more than that committing at the very same moment.

CREATE FUNCTION objects_quota_room(p_bucket_id bigint, p_bytes bigint, OUT objects_left bigint, OUT bytes_left bigint)
LANGUAGE plpgsql AS $$
-- How many objects and bytes still fit; NULL where there is no quota. Cost: two probes where there is none.
DECLARE
    v_limit record;
    v_objects bigint;
    v_bytes bigint;
BEGIN
    FOR v_limit IN
        SELECT l.id, l.account_id, l.objects_max, l.bytes_max FROM limits_limit l
         WHERE (l.bucket_id = p_bucket_id
                OR l.account_id = (SELECT b.owner_id FROM buckets_bucket b WHERE b.id = p_bucket_id))
           AND (l.objects_max IS NOT NULL OR l.bytes_max IS NOT NULL)
         ORDER BY l.id
    LOOP
        SELECT used.objects, used.bytes INTO v_objects, v_bytes
          FROM objects_used(p_bucket_id, v_limit.account_id) used;
        IF v_limit.objects_max - v_objects < greatest(v_limit.objects_max * 0.1, 64)
           OR v_limit.bytes_max - v_bytes < greatest(v_limit.bytes_max * 0.1, 64 * p_bytes) THEN
            PERFORM pg_advisory_xact_lock(28517, hashint8(v_limit.id));
            SELECT used.objects, used.bytes INTO v_objects, v_bytes
              FROM objects_used(p_bucket_id, v_limit.account_id) used;
        END IF;
        objects_left := least(objects_left, v_limit.objects_max - v_objects);
        bytes_left := least(bytes_left, v_limit.bytes_max - v_bytes);
    END LOOP;
END $$;

CREATE FUNCTION objects_used(p_bucket_id bigint, p_account_id text, OUT objects bigint, OUT bytes bigint)
LANGUAGE sql VOLATILE AS $$
    -- What a bucket holds, or with an account all buckets of it.
    SELECT coalesce(sum(u.object_count), 0)::bigint, coalesce(sum(u.size_bytes + u.annotation_bytes), 0)::bigint
      FROM objects_bucketusage u
     WHERE u.bucket_id = ANY (CASE WHEN p_account_id IS NULL THEN ARRAY[p_bucket_id]
           ELSE ARRAY(SELECT b.id FROM buckets_bucket b WHERE b.owner_id = p_account_id) END)
$$;
