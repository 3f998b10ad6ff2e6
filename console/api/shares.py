"""Share links for programs."""

from __future__ import annotations

from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from console.access import find_named_bucket
from console.api.view import View
from console.sharing import ShareForm, address_of, end_link, make_link, visible_links
from sharing.selectors import documents

_WHERE = frozenset({"bucket", "key", "prefix"})


class ShareLinks(View):
    """`GET /api/shares/`: the newest links. `POST`: a new one to `bucket` and `key` or `prefix`."""

    def get(self, request: Request) -> Response:
        """List them."""
        return Response({"links": documents(visible_links(request._request))})  # noqa: SLF001  Django's request

    def post(self, request: Request) -> Response:
        """Make one; its address is in this answer alone. 400 for what is no wish."""
        wish = request.data
        if not isinstance(wish, dict) or not all(isinstance(wish.get(name, ""), str) for name in _WHERE):
            raise ValidationError({"error": "expected an object with bucket, and key or prefix"})
        if ("key" in wish) == ("prefix" in wish) or any("\0" in str(value) for value in wish.values()):
            raise ValidationError({"error": "give either key or prefix"})
        unknown = wish.keys() - _WHERE - ShareForm.base_fields.keys()
        form = ShareForm({name: value for name, value in wish.items() if name not in _WHERE})
        if unknown:
            raise ValidationError({"error": f"unknown: {', '.join(sorted(unknown))}"})
        if not form.is_valid():
            raise ValidationError({"error": "; ".join(f"{name}: {texts[0]}" for name, texts in form.errors.items())})
        bucket = find_named_bucket(wish.get("bucket", ""))
        is_prefix = "prefix" in wish
        key = wish["prefix" if is_prefix else "key"]
        made = make_link(request._request, bucket, key, None, is_prefix=is_prefix, form=form)  # noqa: SLF001  as above
        address = address_of(request._request, made)  # noqa: SLF001  as above
        return Response({**documents([made.link])[0], "url": address}, status=201)


class OneShareLink(View):
    """`DELETE /api/shares/<id>/`: revoke it."""

    def delete(self, request: Request, link_id: int) -> Response:
        """Revoke. 404 for one that is not the user's to end."""
        try:
            end_link(request._request, link_id)  # noqa: SLF001  as above
        except Http404:
            return Response({"error": "There is no such link."}, status=404)
        return Response(status=204)
