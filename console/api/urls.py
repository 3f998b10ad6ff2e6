"""The addresses of the JSON API."""

from django.urls import path

from console.api import audit, shares, topology

app_name = "api"
urlpatterns = [
    path("audit/", audit.SearchAudit.as_view(), name="audit"),
    path("audit/rows/<int:row_id>/explanation/", audit.ExplainAudit.as_view(), name="audit-explanation"),
    path("explain/", audit.Explain.as_view(), name="explain"),
    path("audit/<str:request_id>/", audit.ShowAudit.as_view(), name="audit-request"),
    path("shares/", shares.ShareLinks.as_view(), name="shares"),
    path("topology/", topology.ShowTopology.as_view(), name="topology"),
    path("topology/nodes/<str:name>/", topology.OneNode.as_view(), name="node"),
    path("topology/zones/<str:name>/", topology.OneZone.as_view(), name="zone"),
    path("shares/<int:link_id>/", shares.OneShareLink.as_view(), name="share"),
]
