"""Why? Pages that explain a decision: one that is asked about, or one of the audit log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accesscontrol.policy.actions import S3_ACTIONS
from accesscontrol.selectors.subjects import UnknownSubject
from accesscontrol.selectors.trust import BECOMING
from console.access import audit_visibility
from console.explaining import ask, explainable_row
from objects.selectors.explanation import explain_row

FIELDS = ("principal", "action", "resource", "source_ip", "version_id", "context")


@login_required
@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """Ask whether somebody may do something."""
    audit_visibility(request)
    context: dict[str, Any] = {
        "tab": "audit",
        "is_outside_buckets": True,
        "asked": {name: request.GET.get(name, "") for name in FIELDS},
        "insecure": request.GET.get("insecure", ""),
        "actions": sorted(S3_ACTIONS | BECOMING),
    }
    if request.GET.get("action"):
        try:
            context["explanation"] = ask(request, request.GET)
        except UnknownSubject as error:
            context["problem"] = str(error)
    return render(request, "console/explain.html", context, status=400 if "problem" in context else 200)


@login_required
@require_safe
def explain_audit_row(request: HttpRequest, row_id: int) -> HttpResponse:
    """Explain a row of the audit log."""
    row = explainable_row(request, row_id)
    explained = explain_row(row)
    context = {"tab": "audit", "is_outside_buckets": True, "row": row, "then": explained, "explanation": explained.now}
    return render(request, "console/explain_row.html", context)
