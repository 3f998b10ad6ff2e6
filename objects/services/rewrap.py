"""After a key was rotated: wrap data keys anew with its newest version. No byte of an object moves.

What is left to do is derived from the rows, so the duty may be killed anywhere. A wrap that another process makes with
the older version meanwhile is found the next time. Versions in history are wrapped anew too.
"""

from __future__ import annotations

import json
import logging

from django.db import connection

from keymanagement.errors import KeyDisabled, WrapInvalid
from keymanagement.services import current
from objects.encryption import StoredEncryption
from objects.services.encryption import rewrapped
from s3protocol import errors

logger = logging.getLogger("objstore.objects")

BATCH_SIZE = 200

# Plan: a range of the index versions_by_wrapping_key.
_FIND_VERSIONS = """
SELECT id, encryption FROM objects_objectversion
 WHERE NOT (encryption = '{}'::jsonb) AND (encryption ->> 'key') = %s
   AND ((encryption ->> 'key_version')::integer) < %s AND id > %s
 ORDER BY id LIMIT %s
"""

# Plan: uploads are few; all of them in progress.
_FIND_UPLOADS = """
SELECT id, encryption FROM objects_multipartupload
 WHERE completed_at IS NULL AND encryption ->> 'key' = %s AND (encryption ->> 'key_version')::integer < %s AND id > %s
 ORDER BY id LIMIT %s
"""

# The rival is UpdateObjectEncryption, or another run of the duty: whoever comes second changes nothing.
_CHANGE_VERSION = "UPDATE objects_objectversion SET encryption = %s::jsonb WHERE id = %s AND encryption = %s::jsonb"
_CHANGE_UPLOAD = "UPDATE objects_multipartupload SET encryption = %s::jsonb WHERE id = %s AND encryption = %s::jsonb"


def rewrap_data_keys(*, batch_size: int = BATCH_SIZE) -> int:
    """Wrap a batch of data keys of each key anew and return how many; zero when nothing is left that can be.

    A data key that does not open is logged and passed over. Raises KeyManagementUnavailable, ServiceUnavailable when the
    keys are out of reach.
    """
    management = current()
    total = 0
    for name in management.list_key_names():
        try:
            newest = management.newest_version(name)
        except KeyDisabled:
            continue
        total += _rewrap(_FIND_VERSIONS, _CHANGE_VERSION, name, newest, batch_size)
        total += _rewrap(_FIND_UPLOADS, _CHANGE_UPLOAD, name, newest, batch_size)
    return total


def _rewrap(find: str, change: str, name: str, newest: int, batch_size: int) -> int:
    after, done = 0, 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(find, [name, newest, after, batch_size])
            rows = cursor.fetchall()
        for row, document in rows:
            done += _rewrap_row(change, row, document)
        if done or len(rows) < batch_size:
            return done
        after = rows[-1][0]  # none of a whole batch could be wrapped: look behind it


def _rewrap_row(change: str, row: int, document: str) -> int:
    stored = StoredEncryption.from_document(json.loads(document))
    assert stored is not None
    try:
        anew = rewrapped(stored)
    except (errors.KMSDisabledException, WrapInvalid) as failure:
        logger.warning("the data key of row %s does not open: %s", row, failure)
        return 0
    with connection.cursor() as cursor:
        cursor.execute(change, [json.dumps(anew.document()), row, document])
        return int(cursor.rowcount)
