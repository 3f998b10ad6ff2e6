"""Webhooks: each event is a POST of its JSON document; any 2xx answer takes it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
from http import HTTPStatus
from urllib.parse import urlsplit

from accesscontrol.outbound import OutboundRefused, open_connection
from events.errors import EventRefused, TargetMisconfigured, TargetUnavailable
from events.senders.protocol import TIMEOUT_SECONDS, Message, Settings

# A server or proxy that says this of one event says it of all.
_UNAVAILABLE = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_ANSWER_BYTES_MAX = 64 * 1024


def check_settings(settings: Settings) -> None:
    """Raise TargetMisconfigured for settings that can't work."""
    try:
        open_connection(settings.get("url", ""), timeout_seconds=TIMEOUT_SECONDS)
    except OutboundRefused as error:
        raise TargetMisconfigured(str(error)) from None
    if any(character in settings.get("token", "") for character in "\r\n"):
        raise TargetMisconfigured("a token holds no line break")


class WebhookSender:
    """Posts over one connection that stays open between events."""

    def __init__(self, settings: Settings) -> None:
        parts = urlsplit(settings["url"])
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._token = settings.get("token", "")
        self._secret = settings.get("secret", "").encode()
        try:
            self._connection = open_connection(settings["url"], timeout_seconds=TIMEOUT_SECONDS)
        except OutboundRefused as error:
            raise TargetUnavailable(str(error)) from None

    def send(self, message: Message) -> None:
        """Post an event. Redirects are not followed."""
        status = self._post(message)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        if status in _UNAVAILABLE:
            raise TargetUnavailable(f"the server answered {status}")
        raise EventRefused(f"the server answered {status}")

    def _post(self, message: Message) -> int:
        is_fresh = self._connection.sock is None
        try:
            return self._exchange(message)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self._connection.close()
            if is_fresh:
                raise TargetUnavailable(_reason(error)) from error
        except (OSError, http.client.HTTPException, OutboundRefused) as error:
            self._connection.close()
            raise TargetUnavailable(_reason(error)) from error
        # A server may close a connection that was idle: once more, on a new one.
        try:
            return self._exchange(message)
        except (OSError, http.client.HTTPException, OutboundRefused) as error:
            self._connection.close()
            raise TargetUnavailable(_reason(error)) from error

    def _exchange(self, message: Message) -> int:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "objstore",
            "x-objstore-event-id": message.id,
        }
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._secret:
            headers["x-objstore-signature"] = (
                "sha256=" + hmac.new(self._secret, message.body, hashlib.sha256).hexdigest()
            )
        self._connection.request("POST", self._path, body=message.body, headers=headers)
        answer = self._connection.getresponse()
        if len(answer.read(_ANSWER_BYTES_MAX)) == _ANSWER_BYTES_MAX:
            self._connection.close()  # the rest of a long answer is nobody's business
        return answer.status

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return str(error) or type(error).__name__
