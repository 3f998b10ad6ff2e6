"""The console, the Celery processes and management commands: the gateway's apps, and those of the browser."""

from console.theme import UNFOLD  # noqa: F401  a setting
from objstore_project.settings.base import *  # noqa: F403  settings build on each other
from objstore_project.settings.base import BASE_DIR, INSTALLED_APPS, OBJSTORE_DATA_DIR, OBJSTORE_SCHEME

ROOT_URLCONF = "objstore_project.urls_console"
WSGI_APPLICATION = "objstore_project.wsgi_console.application"

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    *INSTALLED_APPS,
    "django.contrib.admin",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "console",
]

MIDDLEWARE = [
    "console.middleware.PageHeaders",
    "console.middleware.SecureCookies",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "console.audit_trail.AuditTrail",  # the last: what changes something is one transaction with its row
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

APPEND_SLASH = True
FORMAT_MODULE_PATH = "console.formats"
LOGIN_URL = "console:sign-in"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_NAME = "objstore_session"  # console.middleware.SecureCookies says when cookies are `Secure`
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SECURE_HSTS_SECONDS = 365 * 86_400 if OBJSTORE_SCHEME == "https" else 0
CSRF_COOKIE_NAME = "objstore_csrf"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Granian serves them from this directory; names carry a digest, so that browsers may keep them for ever.
STATIC_URL = "/static/"
STATIC_ROOT = OBJSTORE_DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is uploaded to the console's disk
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
