-- What a write does to a key, each as one function, so that a commit costs one round trip.
--
-- Every writer of a key first takes the bucket's advisory lock shared (28514, buckets.services.BUCKET_LOCK_CLASS), which
-- keeps the bucket from being deleted under it, and then the key's row in objects_object, which orders the writers.
-- The statements inside see what committed before them (READ COMMITTED takes a new snapshot for each), so what they
-- read after the lock is the truth. Ids of versions are drawn under the key's lock: within a key they order the versions.

CREATE FUNCTION objects_count_usage(
    p_bucket_id bigint, p_objects int, p_versions int, p_bytes bigint, p_history int, p_history_bytes bigint
) RETURNS void LANGUAGE sql AS $$
    -- One of 16 counters, by server process, so that concurrent writers seldom meet.
    INSERT INTO objects_bucketusage AS u
           (bucket_id, slot, object_count, version_count, size_bytes, history_count, history_bytes)
    VALUES (p_bucket_id, pg_backend_pid() % 16, p_objects, p_versions, p_bytes, p_history, p_history_bytes)
    ON CONFLICT (bucket_id, slot) DO UPDATE SET
           object_count = u.object_count + excluded.object_count,
           version_count = u.version_count + excluded.version_count,
           size_bytes = u.size_bytes + excluded.size_bytes,
           history_count = u.history_count + excluded.history_count,
           history_bytes = u.history_bytes + excluded.history_bytes
$$;

CREATE FUNCTION objects_count_annotations(p_bucket_id bigint, p_bytes bigint) RETURNS void LANGUAGE sql AS $$
    -- Likewise, of the payloads beside visible versions.
    INSERT INTO objects_bucketusage AS u (bucket_id, slot, annotation_bytes)
    SELECT p_bucket_id, pg_backend_pid() % 16, p_bytes WHERE p_bytes <> 0
    ON CONFLICT (bucket_id, slot) DO UPDATE SET annotation_bytes = u.annotation_bytes + excluded.annotation_bytes
$$;

CREATE FUNCTION objects_note_event(
    p_bucket_id bigint, p_name text, p_key text, p_version_id text, p_size_bytes bigint, p_etag text, p_cause jsonb
) RETURNS void LANGUAGE sql AS $$
    -- Put an event into the outbox for each rule of the bucket that it fits. Whoever calls holds the lock that orders the
    -- writers of the key or version, so that ids order the events of a key.
    -- Plan: a range of the index notification_rules_of_bucket, which holds 100 rules at most.
    INSERT INTO events_event (target_id, bucket_id, bucket_name, bucket_owner_id, configuration_id, name, key, version_id,
                              size_bytes, etag, cause, details, happened_at)
    SELECT r.target_id, b.id, b.name, b.owner_id, r.configuration_id, p_name, p_key,
           CASE WHEN b.versioning <> '' THEN p_version_id END, p_size_bytes, coalesce(p_etag, ''),
           coalesce(p_cause, '{}') - 'details', coalesce(p_cause->'details', '{}'), clock_timestamp()
      FROM buckets_notificationrule r JOIN buckets_bucket b ON b.id = r.bucket_id
     WHERE r.bucket_id = p_bucket_id
       AND r.event_names && ARRAY[p_name, split_part(p_name, ':', 1) || ':*', '*']::varchar[]
       AND starts_with(p_key, r.prefix) AND right(p_key, length(r.suffix)) = r.suffix
     ORDER BY r.id
$$;

CREATE FUNCTION objects_queue_replication(p_version_row bigint, p_kind text) RETURNS void LANGUAGE plpgsql AS $$
-- Queue a version, a delete marker or a change of one for each destination of the bucket's rules that fit, the rule of
-- the highest priority for each. Replicas go nowhere; changes of replicas go where a rule says so.
-- Plan: a range of the index replication_rules_of_bucket.
BEGIN
    INSERT INTO objects_replication
           (bucket_id, rule_id, role_arn, key, version_row, kind, destination_name, remote_name, storage_class, takes_ownership,
            kms_key, queued_at)
    SELECT DISTINCT ON (r.remote_name, r.destination_name) v.bucket_id, r.rule_id, r.role_arn, o.key, v.id, p_kind,
           r.destination_name, r.remote_name, r.storage_class, r.takes_ownership, r.kms_key, clock_timestamp()
      FROM objects_objectversion v JOIN objects_object o ON o.id = v.object_id
      JOIN buckets_replicationrule r ON r.bucket_id = v.bucket_id
     WHERE v.id = p_version_row AND starts_with(o.key, r.prefix) AND v.tags @> r.tags
       AND (p_kind <> 'marker' OR r.replicates_markers)
       AND (p_kind <> 'change' OR v.replication_status <> '')  -- what was there before the rule has no replica
       AND (v.encryption->>'method' IS DISTINCT FROM 'aws:kms' OR r.replicates_kms)
       AND (v.replication_status <> 'REPLICA' OR (p_kind = 'change' AND r.syncs_replicas))
     ORDER BY r.remote_name, r.destination_name, r.priority DESC;
    IF FOUND THEN
        UPDATE objects_objectversion SET replication_status = 'PENDING'
         WHERE id = p_version_row AND replication_status <> 'REPLICA';
    END IF;
END $$;

CREATE FUNCTION objects_queue_change(p_version_row bigint) RETURNS void LANGUAGE sql AS $$
    -- Queue a change of a version's tags, grants or protection, made in this transaction, where the bucket is replicated.
    SELECT objects_queue_replication(v.id, 'change')
      FROM objects_objectversion v JOIN buckets_bucket b ON b.id = v.bucket_id
     WHERE v.id = p_version_row AND b.has_replication_rules AND v.version_id <> 'null'
$$;

CREATE FUNCTION objects_note_version_event(p_version_row bigint, p_cause jsonb) RETURNS void LANGUAGE sql AS $$
    -- Put the event that the cause names into the outbox, about a version that has just been changed in this transaction.
    SELECT objects_note_event(v.bucket_id, p_cause->>'event', o.key, v.version_id, v.size_bytes, v.etag, p_cause)
      FROM objects_objectversion v JOIN objects_object o ON o.id = v.object_id JOIN buckets_bucket b ON b.id = v.bucket_id
     WHERE v.id = p_version_row AND b.has_notification_rules
$$;

CREATE FUNCTION objects_is_locked(p_version objects_objectversion, p_is_bypassing boolean) RETURNS boolean LANGUAGE sql AS $$
    -- Whether object lock keeps a version from being deleted for good. Bypassing lifts retention in GOVERNANCE mode.
    SELECT coalesce(p_version.legal_hold, false)
        OR (coalesce(p_version.retain_until > clock_timestamp(), false)
            AND NOT (p_is_bypassing AND p_version.lock_mode = 'GOVERNANCE'))
$$;

CREATE FUNCTION objects_erase_version(p_version bigint) RETURNS void LANGUAGE plpgsql AS $$
-- Forget a version for good. Its chunks become questions for the collector. Whoever may bypass GOVERNANCE has been asked
-- before; what nobody may erase stops here, whatever the caller thinks.
BEGIN
    IF EXISTS (SELECT FROM objects_objectversion v WHERE v.id = p_version AND objects_is_locked(v, true)) THEN
        RAISE EXCEPTION 'version % is locked', p_version;
    END IF;
    -- A question that stands already is asked anew: its row is locked by that, so that a collector which does not see
    -- the extents gone yet can't answer it meanwhile.
    INSERT INTO chunks_garbage (chunk_id)
    SELECT DISTINCT chunk_id FROM objects_extent WHERE version_id = p_version ORDER BY chunk_id
        ON CONFLICT (chunk_id) DO UPDATE SET asked_at = clock_timestamp();
    DELETE FROM objects_extent WHERE version_id = p_version;
    -- Before what hangs on it, so that a read or a request for a restore adds nothing to it any more.
    PERFORM FROM objects_objectversion WHERE id = p_version FOR UPDATE;
    DELETE FROM objects_restore WHERE version_id = p_version;
    DELETE FROM objects_monitoring WHERE version_id = p_version;
    DELETE FROM objects_shorterstate WHERE version_id = p_version;
    DELETE FROM objects_annotation WHERE version_id = p_version;
    DELETE FROM objects_objectversion WHERE id = p_version;
END $$;

CREATE FUNCTION objects_retire_version(
    p_version objects_objectversion, p_history_seconds int, p_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
-- Take a version out of S3's sight: into history, or away where the bucket keeps none. Counts it, too; whether the key
-- is still listed is for the caller to count.
DECLARE
    v_versions int := CASE WHEN p_version.is_delete_marker THEN 0 ELSE 1 END;
    v_annotations bigint := (SELECT sum(a.size_bytes) FROM objects_annotation a WHERE a.version_id = p_version.id);
BEGIN
    IF v_annotations IS NOT NULL THEN
        PERFORM objects_count_annotations(p_version.bucket_id, -v_annotations);
    END IF;
    IF p_history_seconds > 0 THEN
        UPDATE objects_objectversion SET deleted_at = p_now, superseded_at = coalesce(superseded_at, p_now)
         WHERE id = p_version.id;
        PERFORM objects_count_usage(
            p_version.bucket_id, 0, -v_versions, -p_version.size_bytes, v_versions, p_version.size_bytes);
    ELSE
        PERFORM objects_erase_version(p_version.id);
        PERFORM objects_count_usage(p_version.bucket_id, 0, -v_versions, -p_version.size_bytes, 0, 0);
    END IF;
END $$;

CREATE FUNCTION objects_insert_version(
    p_id bigint, p_object_id bigint, p_bucket_id bigint, p_version_id text, p_version jsonb, p_now timestamptz
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO objects_objectversion
           (id, object_id, bucket_id, version_id, is_delete_marker, owner_id, size_bytes, etag, content_type, headers,
            metadata, tags, storage_class, checksum_algorithm, checksum_type, checksum, part_count, parts,
            lock_mode, retain_until, legal_hold, acl, encryption, replication_status, became_current_at)
    VALUES (p_id, p_object_id, p_bucket_id, p_version_id, coalesce((p_version->>'is_delete_marker')::boolean, false),
            p_version->>'owner_id', coalesce((p_version->>'size_bytes')::bigint, 0), coalesce(p_version->>'etag', ''),
            coalesce(p_version->>'content_type', ''), coalesce(p_version->'headers', '{}'),
            coalesce(p_version->'metadata', '{}'), coalesce(p_version->'tags', '{}'),
            coalesce(p_version->>'storage_class', 'STANDARD'), coalesce(p_version->>'checksum_algorithm', ''),
            coalesce(p_version->>'checksum_type', ''), coalesce(p_version->>'checksum', ''),
            (p_version->>'part_count')::int, nullif(p_version->'parts', 'null'), coalesce(p_version->>'lock_mode', ''),
            (p_version->>'retain_until')::timestamptz, (p_version->>'legal_hold')::boolean,
            nullif(p_version->'acl', 'null'), coalesce(p_version->'encryption', '{}'),
            coalesce(p_version->>'replication_status', ''), p_now)
$$;

CREATE FUNCTION objects_retained_by_default(p_version jsonb, p_retention jsonb) RETURNS jsonb LANGUAGE sql AS $$
    -- Give a new version the retention that its bucket has for those that bring none of their own.
    SELECT CASE WHEN p_retention IS NULL OR coalesce(p_version->>'lock_mode', '') <> '' THEN p_version
           ELSE p_version || jsonb_build_object(
                'lock_mode', p_retention->>'Mode',
                'retain_until', clock_timestamp() + make_interval(
                    years => coalesce((p_retention->>'Years')::int, 0), days => coalesce((p_retention->>'Days')::int, 0)))
           END
$$;

CREATE FUNCTION objects_note_created(p_bucket_id bigint, p_key text, p_version_id text, p_version jsonb)
RETURNS void LANGUAGE sql AS $$
    SELECT objects_note_event(
        p_bucket_id, coalesce(p_version #>> '{cause,event}', 'ObjectCreated:Put'), p_key, p_version_id,
        coalesce((p_version->>'size_bytes')::bigint, 0), p_version->>'etag', p_version->'cause')
$$;

CREATE FUNCTION objects_publish_version(
    p_bucket_id bigint, p_key text, p_version jsonb, p_if_none_match text, p_if_match text,
    OUT outcome text, OUT version_row bigint, OUT version_id text, OUT became_current_at timestamptz
) LANGUAGE plpgsql AS $$
-- Make a new version the current one of its key, if the conditions hold. `outcome` is '' or an S3 error code, with
-- which nothing has changed. `p_version` holds the columns; its version_id counts only where versioning is enabled.
DECLARE
    v_versioning text;
    v_history_seconds int;
    v_default_retention jsonb;
    v_object objects_object;
    v_current objects_objectversion;
    v_replaced objects_objectversion;
    v_was_listed boolean;
    v_is_told boolean;
    v_is_replicated boolean;
    v_room record;
    v_fits boolean;
    -- What it takes of a quota: copies bring annotations along, which are counted when they are there.
    v_weight bigint := (p_version->>'size_bytes')::bigint + coalesce((p_version->>'annotation_bytes')::bigint, 0);
BEGIN
    outcome := '';
    PERFORM pg_advisory_xact_lock_shared(28514, hashint8(p_bucket_id));
    SELECT b.versioning, b.history_seconds, b.default_retention, b.has_notification_rules, b.has_replication_rules
      INTO v_versioning, v_history_seconds, v_default_retention, v_is_told, v_is_replicated
      FROM buckets_bucket b WHERE b.id = p_bucket_id;
    IF NOT FOUND THEN
        outcome := 'NoSuchBucket';
        RETURN;
    END IF;
    IF v_default_retention IS NOT NULL THEN
        p_version := objects_retained_by_default(p_version, v_default_retention);
    END IF;
    version_id := CASE WHEN v_versioning = 'Enabled' THEN p_version->>'version_id' ELSE 'null' END;
    version_row := nextval('objects_objectversion_id_seq');
    -- Before the key's lock, as writers near the end of a quota take turns.
    v_room := objects_quota_room(p_bucket_id, v_weight);
    v_fits := coalesce(v_room.objects_left >= 1, true)
          AND coalesce(v_room.bytes_left >= v_weight, true);
    LOOP
        IF p_if_match IS NULL AND v_fits THEN
            -- A new key: nobody can be waiting for it, its row is born pointing at the version that follows.
            INSERT INTO objects_object (bucket_id, key, current_version_id, is_listed)
            VALUES (p_bucket_id, p_key, version_row, true)
            ON CONFLICT (bucket_id, key) DO NOTHING RETURNING * INTO v_object;
            IF FOUND THEN
                became_current_at := clock_timestamp();
                PERFORM objects_insert_version(
                    version_row, v_object.id, p_bucket_id, version_id, p_version, became_current_at);
                PERFORM objects_count_usage(p_bucket_id, 1, 1, (p_version->>'size_bytes')::bigint, 0, 0);
                IF v_is_told THEN
                    PERFORM objects_note_created(p_bucket_id, p_key, version_id, p_version);
                END IF;
                IF v_is_replicated THEN
                    PERFORM objects_queue_replication(version_row, 'version');
                END IF;
                RETURN;
            END IF;
        END IF;
        SELECT * INTO v_object FROM objects_object o WHERE o.bucket_id = p_bucket_id AND o.key = p_key FOR UPDATE;
        EXIT WHEN FOUND;
        IF p_if_match IS NOT NULL OR NOT v_fits THEN
            outcome := CASE WHEN p_if_match IS NOT NULL THEN 'NoSuchKey' ELSE 'QuotaExceeded' END;
            RETURN;
        END IF;
        -- The collector removed the row between the two statements: try again.
    END LOOP;

    version_row := nextval('objects_objectversion_id_seq');
    became_current_at := clock_timestamp();
    v_was_listed := v_object.is_listed;
    SELECT * INTO v_current FROM objects_objectversion v WHERE v.id = v_object.current_version_id;
    IF v_was_listed AND p_if_none_match IN ('*', v_current.etag) THEN
        outcome := 'PreconditionFailed';
    ELSIF p_if_match IS NOT NULL AND NOT v_was_listed THEN
        outcome := 'NoSuchKey';
    ELSIF p_if_match IS NOT NULL AND p_if_match <> '*' AND p_if_match <> v_current.etag THEN
        outcome := 'PreconditionFailed';
    END IF;
    IF outcome <> '' THEN
        RETURN;
    END IF;

    IF version_id = 'null' THEN
        SELECT * INTO v_replaced FROM objects_objectversion v
         WHERE v.object_id = v_object.id AND v.version_id = 'null' AND v.deleted_at IS NULL;
    END IF;
    -- What is replaced makes room for what replaces it.
    IF NOT v_fits AND ((NOT v_was_listed AND v_room.objects_left < 1)
        OR v_room.bytes_left + coalesce(v_replaced.size_bytes, 0) < v_weight) THEN
        outcome := 'QuotaExceeded';
        RETURN;
    END IF;
    IF v_replaced.id IS NOT NULL THEN
        PERFORM objects_retire_version(v_replaced, v_history_seconds, became_current_at);
    END IF;
    IF v_current.id IS DISTINCT FROM v_replaced.id THEN
        UPDATE objects_objectversion SET superseded_at = objects_publish_version.became_current_at
         WHERE id = v_current.id;
    END IF;
    PERFORM objects_insert_version(version_row, v_object.id, p_bucket_id, version_id, p_version, became_current_at);
    UPDATE objects_object SET current_version_id = version_row, is_listed = true WHERE id = v_object.id;
    PERFORM objects_count_usage(
        p_bucket_id, CASE WHEN v_was_listed THEN 0 ELSE 1 END, 1, (p_version->>'size_bytes')::bigint, 0, 0);
    IF v_is_told THEN
        PERFORM objects_note_created(p_bucket_id, p_key, version_id, p_version);
    END IF;
    IF v_is_replicated THEN
        PERFORM objects_queue_replication(version_row, 'version');
    END IF;
END $$;

CREATE FUNCTION objects_insert_chunks(p_chunks jsonb, p_version bigint, p_part bigint)
RETURNS void LANGUAGE plpgsql AS $$
-- Record freshly written chunks, one extent each, and the faults met in writing them. An encrypted chunk is larger than
-- what it holds, a compressed one smaller; what it holds it brings as extent_bytes: extents count the bytes of the object.
BEGIN
    INSERT INTO chunks_chunk
           (id, size_bytes, scheme, node_ids, checksum, storage_class, segment_id, segment_offset, plain_bytes)
    SELECT c.id, c.size_bytes, c.scheme, c.node_ids, c.checksum, c.storage_class, c.segment_id, c.segment_offset,
           c.plain_bytes
      FROM jsonb_to_recordset(p_chunks)
        AS c(id uuid, size_bytes int, scheme text, node_ids smallint[], checksum bigint, storage_class text,
             segment_id uuid, segment_offset int, plain_bytes int);
    -- After the insertion, in a snapshot of its own: chunks.services.condemning says why that is enough.
    IF EXISTS (SELECT FROM jsonb_to_recordset(p_chunks) AS c(id uuid, segment_id uuid)
                 JOIN chunks_condemned x ON x.id IN (c.id, c.segment_id)) THEN
        RAISE EXCEPTION 'the bytes of a chunk were swept before it was published' USING ERRCODE = 'serialization_failure';
    END IF;
    -- A segment's copies moved before its slowest writer published: the clock must have been set forward meanwhile.
    IF EXISTS (SELECT FROM jsonb_to_recordset(p_chunks) AS c(segment_id uuid, node_ids smallint[])
                WHERE (SELECT s.node_ids FROM chunks_segment s WHERE s.id = c.segment_id) <> c.node_ids) THEN
        RAISE EXCEPTION 'the segment of a chunk moved before it was published' USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO objects_extent (version_id, part_id, offset_bytes, size_bytes, chunk_id)
    SELECT p_version, p_part, c.offset_bytes, coalesce(c.extent_bytes, c.size_bytes), c.id
      FROM jsonb_to_recordset(p_chunks) AS c(id uuid, size_bytes int, extent_bytes int, offset_bytes bigint);
    IF jsonb_path_exists(p_chunks, '$[*].faults[*]') THEN
        INSERT INTO chunks_fragmentfault (chunk_id, fragment_index, node_id, kind, last_error)
        SELECT c.id, f.fragment_index, f.node_id, f.kind, f.last_error
          FROM jsonb_to_recordset(p_chunks) AS c(id uuid, faults jsonb),
               jsonb_to_recordset(c.faults) AS f(fragment_index smallint, node_id smallint, kind text, last_error text)
        ON CONFLICT DO NOTHING;
    END IF;
END $$;

CREATE FUNCTION objects_put_version(
    p_bucket_id bigint, p_key text, p_version jsonb, p_chunks jsonb, p_if_none_match text, p_if_match text,
    OUT outcome text, OUT version_row bigint, OUT version_id text, OUT became_current_at timestamptz
) LANGUAGE plpgsql AS $$
-- PutObject: publish a version and record the chunks that hold it.
BEGIN
    SELECT * INTO outcome, version_row, version_id, became_current_at
      FROM objects_publish_version(p_bucket_id, p_key, p_version, p_if_none_match, p_if_match);
    IF outcome = '' AND p_chunks IS NOT NULL THEN
        PERFORM objects_insert_chunks(p_chunks, version_row, NULL);
    END IF;
END $$;

CREATE FUNCTION objects_replace_part(
    p_upload bigint, p_part_number int, p_size_bytes bigint, p_etag text, p_checksum_algorithm text, p_checksum text,
    OUT part_row bigint, OUT modified_at timestamptz
) LANGUAGE plpgsql AS $$
-- Make room for a part: whoever uploads a part number last, wins. No row where the upload is over. The upload's row is
-- locked shared, so that parts go on side by side and completing or aborting waits for them.
BEGIN
    PERFORM 1 FROM objects_multipartupload u WHERE u.id = p_upload AND u.completed_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO objects_part AS p
           (upload_id, part_number, size_bytes, etag, checksum_algorithm, checksum, modified_at)
    VALUES (p_upload, p_part_number, p_size_bytes, p_etag, p_checksum_algorithm, p_checksum, clock_timestamp())
    ON CONFLICT (upload_id, part_number) DO UPDATE SET
           size_bytes = excluded.size_bytes, etag = excluded.etag, checksum_algorithm = excluded.checksum_algorithm,
           checksum = excluded.checksum, modified_at = excluded.modified_at
    RETURNING p.id, p.modified_at INTO part_row, modified_at;
    INSERT INTO chunks_garbage (chunk_id)
    SELECT DISTINCT chunk_id FROM objects_extent WHERE part_id = part_row ORDER BY chunk_id
        ON CONFLICT (chunk_id) DO UPDATE SET asked_at = clock_timestamp();
    DELETE FROM objects_extent WHERE part_id = part_row;
END $$;

CREATE FUNCTION objects_put_part(
    p_upload bigint, p_part_number int, p_size_bytes bigint, p_etag text, p_checksum_algorithm text, p_checksum text,
    p_chunks jsonb, OUT part_row bigint, OUT modified_at timestamptz
) LANGUAGE plpgsql AS $$
-- UploadPart: record a part and the chunks that hold it.
BEGIN
    SELECT * INTO part_row, modified_at FROM objects_replace_part(
        p_upload, p_part_number, p_size_bytes, p_etag, p_checksum_algorithm, p_checksum);
    IF part_row IS NOT NULL AND p_chunks IS NOT NULL THEN
        PERFORM objects_insert_chunks(p_chunks, NULL, part_row);
    END IF;
END $$;

CREATE FUNCTION objects_delete_object(
    p_bucket_id bigint, p_key text, p_version_id text, p_marker jsonb,
    p_if_match text, p_if_match_size bigint, p_if_match_modified timestamptz, p_is_bypassing boolean,
    OUT outcome text, OUT version_id text, OUT is_delete_marker boolean
) LANGUAGE plpgsql AS $$
-- DeleteObject. Without a version id: a delete marker where the bucket is or was versioned, otherwise the object goes.
-- With one: that version goes for good, unless object lock protects it (AccessDenied). `version_id` and
-- `is_delete_marker` are what S3 answers.
DECLARE
    v_versioning text;
    v_history_seconds int;
    v_is_told boolean;
    v_is_replicated boolean;
    v_family text := coalesce(p_marker #>> '{cause,event}', 'ObjectRemoved');
    v_object objects_object;
    v_current objects_objectversion;
    v_target objects_objectversion;
    v_marker_row bigint;
    v_now timestamptz;
BEGIN
    outcome := '';
    is_delete_marker := false;
    PERFORM pg_advisory_xact_lock_shared(28514, hashint8(p_bucket_id));
    SELECT b.versioning, b.history_seconds, b.has_notification_rules, b.has_replication_rules
      INTO v_versioning, v_history_seconds, v_is_told, v_is_replicated
      FROM buckets_bucket b WHERE b.id = p_bucket_id;
    IF NOT FOUND THEN
        outcome := 'NoSuchBucket';
        RETURN;
    END IF;
    SELECT * INTO v_object FROM objects_object o WHERE o.bucket_id = p_bucket_id AND o.key = p_key FOR UPDATE;
    v_now := clock_timestamp();
    IF v_object.id IS NOT NULL THEN
        SELECT * INTO v_current FROM objects_objectversion v WHERE v.id = v_object.current_version_id;
        IF p_version_id IS NOT NULL THEN
            SELECT * INTO v_target FROM objects_objectversion v
             WHERE v.object_id = v_object.id AND v.version_id = p_version_id AND v.deleted_at IS NULL;
        ELSIF v_object.is_listed THEN
            v_target := v_current;
        END IF;
    END IF;
    IF coalesce(p_if_match, p_if_match_size::text, p_if_match_modified::text) IS NOT NULL THEN
        -- What is not there is deleted already: no condition fails on it, and nothing is left to do.
        IF v_target.id IS NULL AND (v_current.id IS NULL OR p_if_match = '*' OR p_version_id IS NOT NULL) THEN
            version_id := p_version_id;
            RETURN;
        ELSIF v_target.id IS NULL
           OR (p_if_match IS NOT NULL AND p_if_match <> '*' AND p_if_match <> v_target.etag)
           OR p_if_match_size <> v_target.size_bytes
           OR date_trunc('second', p_if_match_modified) <> date_trunc('second', v_target.became_current_at) THEN
            outcome := 'PreconditionFailed';
            RETURN;
        END IF;
    END IF;

    IF p_version_id IS NOT NULL THEN
        version_id := p_version_id;
        IF v_target.id IS NULL THEN
            RETURN;
        END IF;
        IF objects_is_locked(v_target, p_is_bypassing) THEN
            outcome := 'AccessDenied';
            RETURN;
        END IF;
        is_delete_marker := v_target.is_delete_marker;
        PERFORM objects_retire_version(v_target, v_history_seconds, v_now);
        PERFORM objects_choose_current(v_object, v_target.id, v_history_seconds);
        IF v_is_told THEN
            PERFORM objects_note_event(
                p_bucket_id, v_family || ':Delete', p_key, version_id, NULL, NULL, p_marker->'cause');
        END IF;
        RETURN;
    END IF;

    IF v_versioning <> 'Enabled' AND v_object.id IS NOT NULL THEN
        SELECT * INTO v_target FROM objects_objectversion v
         WHERE v.object_id = v_object.id AND v.version_id = 'null' AND v.deleted_at IS NULL;
        IF FOUND THEN
            PERFORM objects_retire_version(v_target, v_history_seconds, v_now);
        END IF;
    END IF;
    IF v_versioning = '' THEN
        IF v_target.id IS NOT NULL THEN
            PERFORM objects_choose_current(v_object, v_target.id, v_history_seconds);
            IF v_is_told THEN
                PERFORM objects_note_event(
                    p_bucket_id, v_family || ':Delete', p_key, NULL, NULL, NULL, p_marker->'cause');
            END IF;
        END IF;
        RETURN;
    END IF;

    is_delete_marker := true;
    version_id := CASE WHEN v_versioning = 'Enabled' THEN p_marker->>'version_id' ELSE 'null' END;
    WHILE v_object.id IS NULL LOOP
        INSERT INTO objects_object (bucket_id, key, is_listed) VALUES (p_bucket_id, p_key, false)
            ON CONFLICT (bucket_id, key) DO NOTHING;
        SELECT * INTO v_object FROM objects_object o WHERE o.bucket_id = p_bucket_id AND o.key = p_key FOR UPDATE;
    END LOOP;
    v_now := clock_timestamp();
    v_marker_row := nextval('objects_objectversion_id_seq');
    UPDATE objects_objectversion SET superseded_at = v_now
     WHERE id = v_object.current_version_id AND deleted_at IS NULL;
    IF v_versioning = 'Suspended' THEN
        -- A writer that created the key while this one waited for it may have left a null version.
        SELECT * INTO v_target FROM objects_objectversion v
         WHERE v.object_id = v_object.id AND v.version_id = 'null' AND v.deleted_at IS NULL;
        IF FOUND THEN
            PERFORM objects_retire_version(v_target, v_history_seconds, v_now);
        END IF;
    END IF;
    PERFORM objects_insert_version(v_marker_row, v_object.id, p_bucket_id, version_id, p_marker, v_now);
    UPDATE objects_object SET current_version_id = v_marker_row, is_listed = false WHERE id = v_object.id;
    IF v_object.is_listed THEN
        PERFORM objects_count_usage(p_bucket_id, -1, 0, 0, 0, 0);
    END IF;
    IF v_is_told THEN
        PERFORM objects_note_event(
            p_bucket_id, v_family || ':DeleteMarkerCreated', p_key, version_id, NULL, NULL, p_marker->'cause');
    END IF;
    IF v_is_replicated AND v_family = 'ObjectRemoved' THEN  -- what lifecycle rules delete stays in the replica
        PERFORM objects_queue_replication(v_marker_row, 'marker');
    END IF;
END $$;

CREATE FUNCTION objects_choose_current(p_object objects_object, p_gone bigint, p_history_seconds int)
RETURNS void LANGUAGE plpgsql AS $$
-- After a version went: point the key at the newest visible one, if it was the current one that went. A key with no
-- version left at all is forgotten.
DECLARE
    v_newest objects_objectversion;
    v_is_listed boolean;
BEGIN
    IF p_object.current_version_id IS DISTINCT FROM p_gone THEN
        RETURN;
    END IF;
    SELECT * INTO v_newest FROM objects_objectversion v
     WHERE v.object_id = p_object.id AND v.deleted_at IS NULL ORDER BY v.id DESC LIMIT 1;
    v_is_listed := v_newest.id IS NOT NULL AND NOT v_newest.is_delete_marker;
    UPDATE objects_objectversion SET superseded_at = NULL WHERE id = v_newest.id;
    IF v_is_listed <> p_object.is_listed THEN
        PERFORM objects_count_usage(p_object.bucket_id, CASE WHEN v_is_listed THEN 1 ELSE -1 END, 0, 0, 0, 0);
    END IF;
    IF v_newest.id IS NULL AND NOT EXISTS (SELECT FROM objects_objectversion v WHERE v.object_id = p_object.id) THEN
        DELETE FROM objects_object WHERE id = p_object.id;
    ELSE
        UPDATE objects_object SET current_version_id = v_newest.id, is_listed = v_is_listed WHERE id = p_object.id;
    END IF;
END $$;

CREATE FUNCTION objects_hold_chunks(p_chunks uuid[]) RETURNS void LANGUAGE plpgsql AS $$
-- Keep chunks that are about to be referred to from the collector until this commits, as the foreign key of extents does
-- later. In the order of their ids, as the collector locks them, and after rows of garbage, as the collector does.
DECLARE
    v_held int;
BEGIN
    SELECT count(*) INTO v_held FROM (
        SELECT FROM chunks_chunk c WHERE c.id = ANY(p_chunks) ORDER BY c.id FOR KEY SHARE) AS held;
    IF v_held < cardinality(p_chunks) THEN
        RAISE EXCEPTION 'the source of the copy was erased' USING ERRCODE = 'data_exception';
    END IF;
END $$;

CREATE FUNCTION objects_copy_version(
    p_bucket_id bigint, p_key text, p_version jsonb, p_source_row bigint, p_if_none_match text, p_if_match text,
    OUT outcome text, OUT version_row bigint, OUT version_id text, OUT became_current_at timestamptz
) LANGUAGE plpgsql AS $$
-- CopyObject: publish a version that shares the chunks of another one. The source's extents are read first, because
-- publishing may erase the source (a copy onto itself); the chunks stay, as their rows cannot go while one is referred to.
-- Where somebody else has erased it while this waited for the key, and its chunks are gone: data_exception.
DECLARE
    v_extents objects_extent[];
BEGIN
    -- What was appended to the source since it was looked up begins where it ended then.
    SELECT coalesce(array_agg(e), '{}') INTO v_extents FROM objects_extent e
     WHERE e.version_id = p_source_row AND e.offset_bytes < (p_version->>'size_bytes')::bigint;
    IF (SELECT coalesce(sum(e.size_bytes), 0) FROM unnest(v_extents) e) <> (p_version->>'size_bytes')::bigint THEN
        outcome := 'NoSuchKey';  -- erased since it was looked up
        RETURN;
    END IF;
    SELECT * INTO outcome, version_row, version_id, became_current_at
      FROM objects_publish_version(p_bucket_id, p_key, p_version, p_if_none_match, p_if_match);
    IF outcome = '' THEN
        PERFORM objects_hold_chunks(ARRAY(SELECT DISTINCT e.chunk_id FROM unnest(v_extents) e));
        INSERT INTO objects_extent (version_id, offset_bytes, size_bytes, chunk_id, chunk_offset_bytes)
        SELECT version_row, e.offset_bytes, e.size_bytes, e.chunk_id, e.chunk_offset_bytes FROM unnest(v_extents) e
         ORDER BY e.chunk_id;
    END IF;
END $$;

CREATE FUNCTION objects_copy_part(
    p_upload bigint, p_part_number int, p_size_bytes bigint, p_etag text, p_checksum_algorithm text, p_checksum text,
    p_source_row bigint, p_start bigint, OUT part_row bigint, OUT modified_at timestamptz
) LANGUAGE plpgsql AS $$
-- UploadPartCopy: a part that shares the chunks which hold `p_size_bytes` of another version from `p_start`. No row when
-- the upload is over; data_exception when the source was erased.
DECLARE
    v_found bigint;
BEGIN
    SELECT * INTO part_row, modified_at FROM objects_replace_part(
        p_upload, p_part_number, p_size_bytes, p_etag, p_checksum_algorithm, p_checksum);
    IF part_row IS NULL THEN
        RETURN;
    END IF;
    PERFORM objects_hold_chunks(ARRAY(
        SELECT DISTINCT e.chunk_id FROM objects_extent e
         WHERE e.version_id = p_source_row AND e.offset_bytes < p_start + p_size_bytes
           AND e.offset_bytes + e.size_bytes > p_start));
    WITH inserted AS (
        INSERT INTO objects_extent (part_id, offset_bytes, size_bytes, chunk_id, chunk_offset_bytes)
        SELECT part_row, greatest(e.offset_bytes - p_start, 0),
               least(e.offset_bytes + e.size_bytes, p_start + p_size_bytes) - greatest(e.offset_bytes, p_start),
               e.chunk_id, e.chunk_offset_bytes + greatest(p_start - e.offset_bytes, 0)
          FROM objects_extent e
         WHERE e.version_id = p_source_row AND e.offset_bytes < p_start + p_size_bytes
           AND e.offset_bytes + e.size_bytes > p_start
         ORDER BY e.chunk_id
        RETURNING size_bytes
    ) SELECT coalesce(sum(size_bytes), 0) INTO v_found FROM inserted;
    IF v_found <> p_size_bytes THEN
        RAISE EXCEPTION 'the source of the copy was erased' USING ERRCODE = 'data_exception';
    END IF;
END $$;
