"""The look and the navigation of the admin, for unfold; `settings.console` names it. Pure: no model is loaded here.

Colours are the same as those of console/static/console/console.css.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

_BLUE = {
    "50": "oklch(97% .014 254.6)",
    "100": "oklch(93.2% .032 255.6)",
    "200": "oklch(88.2% .059 254.1)",
    "300": "oklch(80.9% .105 251.8)",
    "400": "oklch(70.7% .165 254.6)",
    "500": "oklch(62.3% .2 259.8)",
    "600": "oklch(54.6% .215 262.9)",
    "700": "oklch(48.8% .21 264.4)",
    "800": "oklch(42.4% .18 265.6)",
    "900": "oklch(37.9% .146 265.5)",
    "950": "oklch(28.2% .091 267.9)",
}


def _page(title: str, icon: str, url_name: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(url_name)}


def _rows(title: str, icon: str, model: str) -> dict[str, Any]:
    """Return an entry that shows to whoever may see the model's rows."""
    app, _, name = model.partition(".")

    def may_view(request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"{app}.view_{name}"))

    return _page(title, icon, f"admin:{app}_{name}_changelist") | {"permission": may_view}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "objstore",
    "SITE_HEADER": "objstore",
    "SITE_SUBHEADER": "Admin",
    "SITE_SYMBOL": "deployed_code",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("console/icon.svg")},
    ],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {"primary": _BLUE},
    "STYLES": [lambda _: static("console/admin.css")],
    "DASHBOARD_CALLBACK": "console.dashboard.add_facts",
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    _page("Dashboard", "dashboard", "admin:index"),
                    _page("Object browser", "folder_open", "console:buckets") | {"active": lambda _: False},
                ]
            },
            {
                "title": "Data",
                "separator": True,
                "items": [
                    _rows("Buckets", "database", "buckets.bucket"),
                    _rows("Objects", "draft", "objects.object"),
                    _rows("Versions", "history", "objects.objectversion"),
                    _rows("Uploads in parts", "upload", "objects.multipartupload"),
                    _rows("Usage counters", "monitoring", "objects.bucketusage"),
                    _rows("Remote stores", "public", "buckets.remotestore"),
                    _rows("Replication queue", "sync_alt", "objects.replication"),
                    _rows("Bucket metrics", "query_stats", "objects.bucketmetric"),
                ],
            },
            {
                "title": "Storage",
                "separator": True,
                "items": [
                    _rows("Nodes", "hard_drive", "chunks.node"),
                    _rows("Zones", "location_on", "chunks.zone"),
                    _rows("Storage classes", "layers", "chunks.storageclass"),
                    _rows("Chunks", "deployed_code", "chunks.chunk"),
                    _rows("Segments", "inventory_2", "chunks.segment"),
                    _rows("Faults", "warning", "chunks.fragmentfault"),
                    _rows("Garbage", "delete", "chunks.garbage"),
                ],
            },
            {
                "title": "Events",
                "separator": True,
                "items": [
                    _rows("Targets", "send", "events.eventtarget"),
                    _rows("Outbox", "outbox", "events.event"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _rows("Accounts", "domain", "accesscontrol.account"),
                    _rows("Users", "person", "accesscontrol.user"),
                    _rows("Access keys", "key", "accesscontrol.accesskey"),
                    _rows("Groups of users", "groups", "accesscontrol.usergroup"),
                    _rows("Roles", "assignment_ind", "accesscontrol.role"),
                    _rows("Managed policies", "policy", "accesscontrol.managedpolicy"),
                    _rows("Inline policies", "rule", "accesscontrol.inlinepolicy"),
                    _rows("Identity providers", "fingerprint", "accesscontrol.oidcprovider"),
                    _rows("Groups of operators", "group", "auth.group"),
                    _rows("External groups", "group_add", "console.externalgroup"),
                    _rows("External identities", "badge", "console.externalidentity"),
                    _rows("Second factors", "phonelink_lock", "console.secondfactor"),
                ],
            },
            {
                "title": "Schedule",
                "separator": True,
                "items": [
                    _rows("Periodic tasks", "task_alt", "django_celery_beat.periodictask"),
                    _rows("Intervals", "timer", "django_celery_beat.intervalschedule"),
                    _rows("Crontabs", "calendar_month", "django_celery_beat.crontabschedule"),
                ],
            },
        ],
    },
}
