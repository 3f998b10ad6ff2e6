"""The audit log for programs: the search, and the rows of one request."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accesscontrol.selectors.subjects import UnknownSubject
from audit import selectors
from console.access import audit_visibility
from console.api.view import View
from console.explaining import ask, explainable_row
from objects.selectors.explanation import explain_row

LIMIT_DEFAULT = 100


class SearchAudit(View):
    """`GET /api/audit/?bucket=…&key=…&since=…&limit=…&after=…`: rows, newest first, and where the next page begins."""

    def get(self, request: Request) -> Response:
        """Search. 400 for what is no filter."""
        visible_to = audit_visibility(request._request)  # noqa: SLF001  Django's request, which decisions are about
        try:
            wanted = selectors.filter_from(request.query_params)
            limit = int(request.query_params.get("limit", LIMIT_DEFAULT))
            after = selectors.place_from(request.query_params.get("after", ""))
        except ValueError as error:
            raise ValidationError({"error": str(error)}) from None
        if not 1 <= limit <= selectors.PAGE_SIZE_MAX:
            raise ValidationError({"error": f"limit is between 1 and {selectors.PAGE_SIZE_MAX}"})
        rows = selectors.search(wanted, limit=limit, after=after, visible_to=visible_to)
        answer: dict[str, Any] = {"rows": [selectors.document(row, visible_to=visible_to) for row in rows]}
        if len(rows) == limit:
            answer["next"] = str(selectors.place_of(rows[-1]))
        return Response(answer)


class ShowAudit(View):
    """`GET /api/audit/<request id>/`: everything that one request did."""

    def get(self, request: Request, request_id: str) -> Response:
        """Show the rows. 404 where there is none that the user may see."""
        visible_to = audit_visibility(request._request)  # noqa: SLF001  as above
        rows = selectors.find_request(request_id, visible_to=visible_to)
        if not rows:
            raise NotFound
        return Response({"rows": [selectors.document(row, visible_to=visible_to) for row in rows]})


class ExplainAudit(View):
    """`GET /api/audit/rows/<id>/explanation/`: what was decided then, what would be now, what would have to change."""

    def get(self, request: Request, row_id: int) -> Response:
        """Explain a row. 404 where there is none of which the user may know why."""
        return Response(explain_row(explainable_row(request._request, row_id)).document())  # noqa: SLF001  as above


class Explain(View):
    """`GET /api/explain/?principal=…&action=…&resource=…`: whether it may, by which statement, and what would allow it."""

    def get(self, request: Request) -> Response:
        """Explain. 400 for what is unknown, 403 for what is not the user's to ask."""
        try:
            explanation = ask(request._request, request.query_params)  # noqa: SLF001  as above
        except UnknownSubject as error:
            raise ValidationError({"error": str(error)}) from None
        return Response(explanation.document())
