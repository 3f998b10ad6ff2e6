"""The addresses of the browser console. Keys stand in query strings alone: a path would be normalised on the way."""

from django.urls import include, path, register_converter

from console.views import (
    audit,
    browse,
    bucket_tags,
    buckets,
    changes,
    configurations,
    explain,
    identities,
    objects,
    second_factor,
    session,
    shares,
    single_sign_on,
)


class BucketNameConverter:
    """What a bucket may be named, so that nothing else reaches a view."""

    regex = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"

    def to_python(self, value: str) -> str:
        """Take the name as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Give the name as it is."""
        return value


class IdentityNameConverter:
    """What a user, group or role may be named."""

    regex = r"[\w+=,.@-]{1,128}"

    def to_python(self, value: str) -> str:
        """Take the name as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Give the name as it is."""
        return value


class IdentityListConverter(IdentityNameConverter):
    """The lists of an account's identities."""

    regex = "users|groups|roles|policies"


register_converter(BucketNameConverter, "bucket")
register_converter(IdentityNameConverter, "identity")
register_converter(IdentityListConverter, "identities")

app_name = "console"
urlpatterns = [
    path("", session.home, name="home"),
    path("sign-in/", session.sign_in, name="sign-in"),
    path("sign-in/code/", second_factor.sign_in_code, name="sign-in-code"),
    path("sign-in/sso/", single_sign_on.begin, name="sso"),
    path("sign-in/sso/back/", single_sign_on.back, name="sso-back"),
    path("sign-out/", session.sign_out, name="sign-out"),
    path("security/", second_factor.security, name="security"),
    path("security/password/", second_factor.change_password, name="change-password"),
    path("security/second-factor/", second_factor.set_up, name="set-up-second-factor"),
    path("security/second-factor/take-away/", second_factor.take_away, name="take-away-second-factor"),
    path("api/", include("console.api.urls")),
    path("audit/", audit.search, name="audit"),
    path("explain/", explain.explain, name="explain"),
    path("audit/row/<int:row_id>/explanation/", explain.explain_audit_row, name="explain-row"),
    path("audit/row/<int:row_id>/", audit.show, name="audit-row"),
    path("access/<identities:part>/", identities.list_entities, name="identities"),
    path("access/keys/", identities.own_keys, name="identity-keys"),
    path("access/users/<identity:name>/", identities.show_user, name="identity-user"),
    path("access/groups/<identity:name>/", identities.show_group, name="identity-group"),
    path("access/roles/<identity:name>/", identities.show_role, name="identity-role"),
    path("access/policy/", identities.show_policy, name="identity-policy"),
    path("access/do/<slug:operation>/", identities.act, name="identity-act"),
    path("buckets/", buckets.buckets, name="buckets"),
    path("create-bucket/", buckets.create_bucket, name="create-bucket"),
    path("buckets/<bucket:bucket_name>/", browse.browse, name="browse"),
    path("buckets/<bucket:bucket_name>/deleted/", browse.deleted, name="deleted"),
    path("buckets/<bucket:bucket_name>/object/", objects.show, name="object"),
    path("shares/", shares.list_links, name="shares"),
    path("shares/<int:link_id>/revoke/", shares.revoke, name="revoke-share"),
    path("buckets/<bucket:bucket_name>/share/", shares.create, name="share"),
    path("buckets/<bucket:bucket_name>/timeline/", audit.timeline, name="timeline"),
    path("buckets/<bucket:bucket_name>/download/", objects.download, name="download"),
    path("buckets/<bucket:bucket_name>/presign/", objects.presign, name="presign"),
    path("buckets/<bucket:bucket_name>/upload/", changes.upload, name="upload"),
    path("buckets/<bucket:bucket_name>/delete/", changes.delete, name="delete"),
    path("buckets/<bucket:bucket_name>/restore/", changes.restore, name="restore"),
    path("buckets/<bucket:bucket_name>/restore-all/", changes.restore_all, name="restore-all"),
    path("buckets/<bucket:bucket_name>/delete-version/", changes.delete_version, name="delete-version"),
    path("buckets/<bucket:bucket_name>/settings/", buckets.bucket_settings, name="bucket-settings"),
    path("buckets/<bucket:bucket_name>/settings/versioning/", buckets.set_versioning, name="set-versioning"),
    path("buckets/<bucket:bucket_name>/settings/history/", buckets.set_history, name="set-history"),
    path("buckets/<bucket:bucket_name>/settings/abac/", bucket_tags.set_abac, name="set-abac"),
    path("buckets/<bucket:bucket_name>/settings/tag/", bucket_tags.add_tag, name="add-tag"),
    path("buckets/<bucket:bucket_name>/settings/untag/", bucket_tags.remove_tag, name="remove-tag"),
    path("buckets/<bucket:bucket_name>/configuration/", configurations.overview, name="configurations"),
    path("buckets/<bucket:bucket_name>/configuration/<slug:kind>/", configurations.configuration, name="configuration"),
    path("buckets/<bucket:bucket_name>/settings/delete/", buckets.delete_bucket, name="delete-bucket"),
]
