"""What all processes share. Every environment variable is read here; see docs/configuration.md.

Not for: what only one kind of process needs (`gateway`, `console`, `testing`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from objstore_project import environment as _environment
from objstore_project.logging import logging_configuration
from objstore_project.supervisor.runtime_directory import runtime_directory

ENVIRONMENT = _environment.Environment(os.environ)
BASE_DIR = Path(__file__).resolve().parent.parent.parent

# Where things are
OBJSTORE_DATA_DIR = _environment.data_directory(ENVIRONMENT)
OBJSTORE_S3_ADDRESS = ENVIRONMENT.address("OBJSTORE_S3_ADDRESS", "127.0.0.1:9000")
OBJSTORE_CONSOLE_ADDRESS = ENVIRONMENT.address("OBJSTORE_CONSOLE_ADDRESS", "127.0.0.1:9001")
OBJSTORE_DOMAINS = ENVIRONMENT.words("OBJSTORE_DOMAIN")
OBJSTORE_WEBSITE_DOMAINS = ENVIRONMENT.words("OBJSTORE_WEBSITE_DOMAIN") or ("s3-website.localhost",)
OBJSTORE_REGION = ENVIRONMENT.text("OBJSTORE_REGION", "us-east-1")

# The first account and the first console user; `manage.py up` generates what is unset
OBJSTORE_ROOT_ACCESS_KEY = ENVIRONMENT.secret("OBJSTORE_ROOT_ACCESS_KEY")
OBJSTORE_ROOT_SECRET_KEY = ENVIRONMENT.secret("OBJSTORE_ROOT_SECRET_KEY")
OBJSTORE_ADMIN_USER = ENVIRONMENT.text("OBJSTORE_ADMIN_USER", "admin")
OBJSTORE_ADMIN_PASSWORD = ENVIRONMENT.secret("OBJSTORE_ADMIN_PASSWORD")

# Single sign-on to the console by OpenID Connect; off while no issuer is named
OBJSTORE_OIDC_ISSUER = ENVIRONMENT.http_url("OBJSTORE_OIDC_ISSUER")
OBJSTORE_OIDC_CLIENT_ID = ENVIRONMENT.text("OBJSTORE_OIDC_CLIENT_ID", "objstore")
OBJSTORE_OIDC_CLIENT_SECRET = ENVIRONMENT.secret("OBJSTORE_OIDC_CLIENT_SECRET")
OBJSTORE_OIDC_SCOPES = ENVIRONMENT.text("OBJSTORE_OIDC_SCOPES", "openid profile email")
OBJSTORE_OIDC_GROUPS_CLAIM = ENVIRONMENT.text("OBJSTORE_OIDC_GROUPS_CLAIM", "groups")
OBJSTORE_OIDC_OPERATOR_GROUP = ENVIRONMENT.text("OBJSTORE_OIDC_OPERATOR_GROUP", "")

# TLS on both ports: one certificate chain and its key
OBJSTORE_TLS_CERTIFICATE = ENVIRONMENT.text("OBJSTORE_TLS_CERTIFICATE", "")
OBJSTORE_TLS_KEY = ENVIRONMENT.text("OBJSTORE_TLS_KEY", "")
if bool(OBJSTORE_TLS_CERTIFICATE) != bool(OBJSTORE_TLS_KEY):
    raise _environment.ConfigurationError("OBJSTORE_TLS_CERTIFICATE, OBJSTORE_TLS_KEY: set both or none")
OBJSTORE_SCHEME = "https" if OBJSTORE_TLS_CERTIFICATE else "http"

# Proxies before both ports, who are believed about clients, and what browsers call the S3 port there
OBJSTORE_TRUSTED_PROXIES = ENVIRONMENT.networks("OBJSTORE_TRUSTED_PROXIES")
if any(network.prefixlen == 0 for network in OBJSTORE_TRUSTED_PROXIES):
    raise _environment.ConfigurationError(
        "OBJSTORE_TRUSTED_PROXIES: everybody would be believed; name the proxies alone"
    )
OBJSTORE_S3_URL = ENVIRONMENT.http_origin("OBJSTORE_S3_URL")

# Size of the gateway
OBJSTORE_GATEWAY_WORKERS = ENVIRONMENT.integer("OBJSTORE_GATEWAY_WORKERS", os.cpu_count() or 1, minimum=1)
OBJSTORE_GATEWAY_THREADS = ENVIRONMENT.integer("OBJSTORE_GATEWAY_THREADS", 32, minimum=1)
OBJSTORE_BODY_IDLE_SECONDS = ENVIRONMENT.integer("OBJSTORE_BODY_IDLE_SECONDS", 60, minimum=1)

# Encryption at rest: what an object gets that asks for none, and who holds the keys that wrap data keys
OBJSTORE_DEFAULT_ENCRYPTION = ENVIRONMENT.choice("OBJSTORE_DEFAULT_ENCRYPTION", "none", choices=("none", "aes256"))
OBJSTORE_VAULT_URL = ENVIRONMENT.http_url("OBJSTORE_VAULT_URL")
OBJSTORE_VAULT_TOKEN = ENVIRONMENT.secret("OBJSTORE_VAULT_TOKEN")
OBJSTORE_VAULT_MOUNT = ENVIRONMENT.text("OBJSTORE_VAULT_MOUNT", "transit")

# How much of each storage node stays free; unset: 1 GiB, or 2 % of a small one
OBJSTORE_NODE_RESERVE_BYTES = ENVIRONMENT.optional_integer("OBJSTORE_NODE_RESERVE_BYTES")

# Secrets of storage nodes that their rows name instead of keeping them
OBJSTORE_NODE_SECRETS = ENVIRONMENT.secrets("OBJSTORE_NODE_SECRET_")

# Who owns what others write into a new bucket; docs/decisions/0009-new-buckets-take-lists.md
OBJSTORE_DEFAULT_OBJECT_OWNERSHIP = ENVIRONMENT.choice(
    "OBJSTORE_DEFAULT_OBJECT_OWNERSHIP",
    "objectwriter",
    choices=("objectwriter", "bucketownerpreferred", "bucketownerenforced"),
)

# What a query of SelectObjectContent may take
OBJSTORE_SELECT_SECONDS = ENVIRONMENT.integer("OBJSTORE_SELECT_SECONDS", 300, minimum=1)
OBJSTORE_SELECT_MEMORY_MIB = ENVIRONMENT.integer("OBJSTORE_SELECT_MEMORY_MIB", 256, minimum=64)

# Clocks of the duties
OBJSTORE_LIFECYCLE_DAY_SECONDS = ENVIRONMENT.integer("OBJSTORE_LIFECYCLE_DAY_SECONDS", 86_400, minimum=1)
OBJSTORE_TRANSITION_MINIMA = ENVIRONMENT.choice(
    "OBJSTORE_TRANSITION_MINIMA",
    "s3" if OBJSTORE_LIFECYCLE_DAY_SECONDS == 86_400 else "none",
    choices=("s3", "none"),
)
OBJSTORE_HISTORY_SECONDS = ENVIRONMENT.integer("OBJSTORE_HISTORY_SECONDS", 86_400)
OBJSTORE_GC_GRACE_SECONDS = ENVIRONMENT.integer("OBJSTORE_GC_GRACE_SECONDS", 3_600)
OBJSTORE_ORPHAN_GRACE_SECONDS = ENVIRONMENT.integer("OBJSTORE_ORPHAN_GRACE_SECONDS", 86_400)
OBJSTORE_STALE_UPLOAD_DAYS = ENVIRONMENT.integer("OBJSTORE_STALE_UPLOAD_DAYS", 7, minimum=1)

# How long a node may be away before what it holds is rebuilt elsewhere
OBJSTORE_NODE_GRACE_SECONDS = ENVIRONMENT.integer("OBJSTORE_NODE_GRACE_SECONDS", 600)

# Events: how long delivery is tried before an event becomes a dead letter; where the store may connect to beside the
# public network
OBJSTORE_EVENT_RETRY_SECONDS = ENVIRONMENT.integer("OBJSTORE_EVENT_RETRY_SECONDS", 86_400)
OBJSTORE_REPLICATION_RETRY_SECONDS = ENVIRONMENT.integer("OBJSTORE_REPLICATION_RETRY_SECONDS", 604_800)
OBJSTORE_OUTBOUND_NETWORKS = ENVIRONMENT.networks("OBJSTORE_OUTBOUND_NETWORKS")

# How hard the duties work on the nodes
OBJSTORE_SCRUB_MIB_PER_SECOND = ENVIRONMENT.integer("OBJSTORE_SCRUB_MIB_PER_SECOND", 50, minimum=1)
OBJSTORE_MOVE_MIB_PER_SECOND = ENVIRONMENT.integer("OBJSTORE_MOVE_MIB_PER_SECOND", 50, minimum=1)
OBJSTORE_SCRUB_INTERVAL_SECONDS = ENVIRONMENT.integer("OBJSTORE_SCRUB_INTERVAL_SECONDS", 604_800)

# The audit log: whether reads that succeed are in it, and how long its rows stay; 0: for ever
OBJSTORE_AUDIT_READS = ENVIRONMENT.choice("OBJSTORE_AUDIT_READS", "on", choices=("on", "off")) == "on"
OBJSTORE_AUDIT_RETENTION_DAYS = ENVIRONMENT.integer("OBJSTORE_AUDIT_RETENTION_DAYS", 90)

# The journal of the metadata, from which a lost database is rebuilt
_JOURNAL = ENVIRONMENT.choice("OBJSTORE_JOURNAL", "on", choices=("on", "off", "required"))
OBJSTORE_JOURNAL, OBJSTORE_JOURNAL_REQUIRED = _JOURNAL != "off", _JOURNAL == "required"
OBJSTORE_JOURNAL_COPIES = ENVIRONMENT.integer("OBJSTORE_JOURNAL_COPIES", 3, minimum=1)
OBJSTORE_JOURNAL_SNAPSHOT_SECONDS = ENVIRONMENT.integer("OBJSTORE_JOURNAL_SNAPSHOT_SECONDS", 21_600, minimum=1)
OBJSTORE_JOURNAL_MIB_PER_SECOND = ENVIRONMENT.integer("OBJSTORE_JOURNAL_MIB_PER_SECOND", 50, minimum=0)
OBJSTORE_JOURNAL_GARBAGE_SECONDS = ENVIRONMENT.integer("OBJSTORE_JOURNAL_GARBAGE_SECONDS", 86_400)

# Whether requests with a rate limit are let through while Valkey is away
OBJSTORE_RATE_LIMIT_FAILURE = ENVIRONMENT.choice("OBJSTORE_RATE_LIMIT_FAILURE", "open", choices=("open", "closed"))

# Logs
OBJSTORE_LOG_FORMAT = ENVIRONMENT.choice("OBJSTORE_LOG_FORMAT", "text", choices=("text", "json"))
OBJSTORE_LOG_LEVEL = ENVIRONMENT.choice(
    "OBJSTORE_LOG_LEVEL", "info", choices=("debug", "info", "warning", "error", "critical")
)
LOGGING = logging_configuration(OBJSTORE_LOG_FORMAT, OBJSTORE_LOG_LEVEL)
LOGGING_CONFIG = "logging.config.dictConfig"

# The embedded servers listen on unix sockets in a directory whose name follows from the data directory, so that every
# command with the same environment finds the servers that `manage.py up` started.
OBJSTORE_RUNTIME_DIR = runtime_directory(OBJSTORE_DATA_DIR)

SECRET_KEY = _environment.secret_key(ENVIRONMENT)
SECRET_KEY_FALLBACKS = _environment.previous_secret_keys(ENVIRONMENT)

_database = ENVIRONMENT.database_url("DATABASE_URL")
OBJSTORE_IS_DATABASE_EMBEDDED = _database is None
if _database is None:
    _database = _environment.DatabaseAddress(
        host=str(OBJSTORE_RUNTIME_DIR), port=None, name="objstore", user="objstore", password="", options={}
    )
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        # Django's own, plus a look at the socket that finds connections which the server has closed.
        "ENGINE": "objstore_project.postgresql",
        "HOST": _database.host,
        "PORT": "" if _database.port is None else str(_database.port),
        "NAME": _database.name,
        "USER": _database.user,
        "PASSWORD": _database.password,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,  # a round trip per request
        "DISABLE_SERVER_SIDE_CURSORS": False,
        "OPTIONS": {
            "server_side_binding": True,
            "prepare_threshold": 2,
            "connect_timeout": 5,
            **_database.options,
        },
    }
}

_redis_url = ENVIRONMENT.redis_url("REDIS_URL")
OBJSTORE_IS_REDIS_EMBEDDED = _redis_url is None
OBJSTORE_REDIS_URL = _redis_url or f"unix://{OBJSTORE_RUNTIME_DIR}/valkey.sock"
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": OBJSTORE_REDIS_URL,
        "KEY_PREFIX": "objstore",
    }
}

# Kombu has words of its own for unix sockets.
CELERY_BROKER_URL = OBJSTORE_REDIS_URL
if CELERY_BROKER_URL.startswith("unix://"):
    CELERY_BROKER_URL = CELERY_BROKER_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: the broker comes back
CELERY_BEAT_SCHEDULER = "objstore_project.beat:Scheduler"  # django-celery-beat's, which a clock that is set back stops
CELERY_TASK_IGNORE_RESULT = True  # what a task did is a row, not a message
CELERY_TASK_ACKS_LATE = True  # tasks are idempotent: a task whose worker died runs again
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"

DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
# The gateway answers to any name, as virtual-hosted buckets need; the console lists hosts of its own.
ALLOWED_HOSTS = ["*"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accesscontrol.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian makes no user row for anonymous requests: the group AllUsers holds their grants

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "guardian",
    "rest_framework",
    "objstore_project",
    "accesscontrol",
    "audit",
    "keymanagement",
    "events",
    "buckets",
    "limits",
    "objects",
    "chunks",
    "journal",
    "sharing",
    "workers",
]
MIDDLEWARE: list[str] = []
APPEND_SLASH = False
# S3 bodies stream; these limits guard the forms of the console alone.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
