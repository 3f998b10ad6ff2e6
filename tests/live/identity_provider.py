"""Tokens of an OpenID Connect provider, got as a program gets them: the authorization code flow over HTTP."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import requests

BACK = "http://localhost/back"
TIMEOUT_SECONDS = 30


def id_token(issuer: str, subject: str, *, client_id: str = "app") -> str:
    """Return the ID token that a provider gives a client about somebody."""
    configuration = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS).json()
    asked = {
        "client_id": client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid profile email",
    }
    sent = requests.post(
        configuration["authorization_endpoint"],
        params=asked,
        data={"sub": subject},
        allow_redirects=False,
        timeout=TIMEOUT_SECONDS,
    )
    code = parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]
    answer = requests.post(
        configuration["token_endpoint"],
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": BACK},
        auth=(client_id, "a secret that this provider does not check"),
        timeout=TIMEOUT_SECONDS,
    )
    return str(answer.json()["id_token"])
