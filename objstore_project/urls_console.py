"""The console's addresses."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from objstore_project.readiness import ready

urlpatterns = [
    path("-/ready", ready),
    path("admin/login/", RedirectView.as_view(pattern_name="console:sign-in", query_string=True)),  # one way in
    # One way to another password, too: where policies and what the account demands of passwords have their say.
    path("admin/password_change/", RedirectView.as_view(pattern_name="console:security")),
    path("admin/", admin.site.urls),
    path("", include("console.urls")),
]
