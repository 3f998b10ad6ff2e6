"""Event targets and the outbox in the admin: register targets, see what waits, send dead letters again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminPasswordInput, UnfoldAdminTextInputWidget

from console.admin.rows import CappedPaginator, RowsAdmin, bucket_link, column, row_link, rows_link
from events.arns import TargetKind
from events.errors import TargetMisconfigured
from events.models import Event, EventTarget
from events.senders import check_settings
from events.services.delivery import redeliver_events
from events.services.targets import add_event_target

_SETTINGS = {
    "url": "http(s)://…, redis(s)://… or amqp(s)://…; user and password may stand in it",
    "token": "Webhook: sent as Authorization: Bearer",
    "secret": "Webhook: signs each body",
    "stream": "Redis: the stream that gets the entries",
    "exchange": "AMQP: the exchange",
    "routing_key": "AMQP: the routing key, or the name of a queue",
}
_SECRETS = ("token", "secret")


class NewTargetForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """What a new target needs; what is typed here is sealed and never shown again."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name, text in _SETTINGS.items():
            widget = UnfoldAdminPasswordInput() if name in _SECRETS else UnfoldAdminTextInputWidget()
            self.fields[name] = forms.CharField(required=name == "url", help_text=text, widget=widget)

    class Meta:
        model = EventTarget
        fields = ("name", "kind", "account_id", "is_shared", "is_event_bus")

    def clean(self) -> dict[str, Any]:
        """Refuse settings that can't work."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "kind" in cleaned and "url" in cleaned:
            try:
                check_settings(TargetKind(cleaned["kind"]), {name: cleaned.get(name, "") for name in _SETTINGS})
            except TargetMisconfigured as error:
                raise ValidationError(str(error)) from None
        return cleaned


@admin.register(EventTarget)
class EventTargetAdmin(RowsAdmin):
    """Event targets."""

    editable = ("is_active", "account_id", "is_shared")
    hidden = ("sealed_settings",)
    more_fields = ("arn", "waiting_link")
    list_display = (
        "name",
        "kind",
        "address",
        "account_id",
        "is_shared",
        "is_active",
        "attempts",
        "last_error",
        "waiting_link",
    )
    search_fields = ("^name",)
    ordering = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say yes to who may add targets."""
        return bool(request.user.has_perm("events.add_eventtarget"))

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Return the form of a new target, or the one with the switch."""
        return super().get_form(request, obj, change, **kwargs) if obj else NewTargetForm

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Ask for what a target needs."""
        return super().get_fields(request, obj) if obj else [*NewTargetForm.Meta.fields, *_SETTINGS]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Fix everything but the switch."""
        return super().get_readonly_fields(request, obj) if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        """Register by the service, or switch."""
        if change:
            EventTarget.objects.filter(pk=obj.pk).update(
                is_active=obj.is_active, account_id=obj.account_id, is_shared=obj.is_shared
            )
            return
        new = add_event_target(
            name=obj.name,
            kind=TargetKind(obj.kind),
            settings={name: form.cleaned_data.get(name, "") for name in _SETTINGS},
            account_id=obj.account_id,
            is_shared=obj.is_shared,
            is_event_bus=obj.is_event_bus,
        )
        obj.pk = new.pk

    @column(description="Waiting")
    def waiting_link(self, row: EventTarget) -> SafeString:
        """Link to what waits for it."""
        return rows_link("events_event", "show", target__id__exact=row.pk)


class DeadFilter(admin.SimpleListFilter):
    """Dead letters, or what is still tried."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Return both."""
        return [("waiting", "Waiting"), ("dead", "Dead letters")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Apply the choice."""
        if self.value() == "dead":
            return queryset.exclude(dead_at=None)
        return queryset.filter(dead_at=None) if self.value() == "waiting" else queryset


@admin.register(Event)
class EventAdmin(RowsAdmin):
    """The outbox."""

    list_display = ("id", "name", "bucket", "key", "target_link", "happened_at", "attempts", "last_error", "dead_at")
    list_filter = (DeadFilter, "target")
    list_select_related = ("target",)
    ordering = ("-id",)
    paginator = CappedPaginator
    actions = ("send_again",)

    @column(description="Bucket")
    def bucket(self, row: Event) -> SafeString:
        """Link to the bucket."""
        return bucket_link(row.bucket_id, row.bucket_name)

    @column(description="Target")
    def target_link(self, row: Event) -> SafeString:
        """Link to the target."""
        return row_link("events_eventtarget", row.target_id, row.target)

    @admin.action(description="Send again", permissions=["redeliver"])
    def send_again(self, request: HttpRequest, events: QuerySet[Event]) -> None:
        """Let dead letters be sent again."""
        count = redeliver_events(ids=list(events.values_list("pk", flat=True)))
        messages.success(request, f"{count} dead letters will be sent again.")

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        """Say yes to who may change events."""
        return bool(request.user.has_perm("events.change_event"))
