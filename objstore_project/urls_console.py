"""The console's addresses."""

from django.contrib import admin
from django.urls import path

from objstore_project.readiness import ready

urlpatterns = [
    path("-/ready", ready),
    path("admin/", admin.site.urls),
]
