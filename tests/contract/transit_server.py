"""A small server of Vault's transit engine: what `keymanagement.vault` asks of one, with real cryptography.

Written from https://developer.hashicorp.com/vault/api-docs/secret/transit: keys, rotate, encrypt and decrypt with
associated data, the statuses and the shape of errors.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "the token of the tests"


class Refused(Exception):
    def __init__(self, status, *reasons):
        self.status, self.reasons = status, reasons


class TransitHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer({})

    def do_POST(self):
        self.answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"))

    def answer(self, question):
        self.server.requests.append((self.command, self.path))
        try:
            status, document = 200, {"data": self.carry_out(question)}
        except Refused as refused:
            status, document = refused.status, {"errors": list(refused.reasons)}
        body = json.dumps(document).encode()
        if status == 200 and document["data"] is None:
            status, body = 204, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def carry_out(self, question):
        if self.headers.get("X-Vault-Token") != TOKEN:
            raise Refused(403, "permission denied")
        if self.server.is_sealed:
            raise Refused(503, "Vault is sealed")
        keys = self.server.keys
        match self.command, *self.path.removeprefix("/v1/transit/").split("/"):
            case "GET", "keys?list=true":
                if not keys:
                    raise Refused(404)
                return {"keys": sorted(keys)}
            case "GET", "keys", name:
                if name not in keys:
                    raise Refused(404)
                return {"name": name, "type": "aes256-gcm96", "latest_version": len(keys[name])}
            case "POST", "keys", name:
                assert question["type"] == "aes256-gcm96"
                keys.setdefault(name, [os.urandom(32)])
                return None
            case "POST", "keys", name, "rotate":
                keys[name].append(os.urandom(32))
                return None
            case "POST", "encrypt", name:
                versions = keys.setdefault(name, [os.urandom(32)])  # as Vault does for a token that may create
                nonce = os.urandom(12)
                sealed = AESGCM(versions[-1]).encrypt(nonce, decoded(question["plaintext"]), associated(question))
                text = base64.b64encode(nonce + sealed).decode()
                return {"ciphertext": f"vault:v{len(versions)}:{text}", "key_version": len(versions)}
            case "POST", "decrypt", name:
                if name not in keys:
                    raise Refused(400, "encryption key not found")
                return {"plaintext": base64.b64encode(decrypt(keys[name], question)).decode()}
        raise Refused(404, "no handler for route")

    def log_message(self, *arguments):
        pass


def decrypt(versions, question):
    prefix, version, text = question["ciphertext"].split(":")
    try:
        assert prefix == "vault"
        sealed = decoded(text)
        return AESGCM(versions[int(version[1:]) - 1]).decrypt(sealed[:12], sealed[12:], associated(question))
    except (InvalidTag, IndexError, ValueError, AssertionError):
        raise Refused(400, "invalid ciphertext: unable to decrypt") from None


def decoded(text):
    return base64.b64decode(text, validate=True)


def associated(question):
    return decoded(question["associated_data"]) if "associated_data" in question else None


@contextmanager
def transit_server():
    """Serve an empty engine; yield the server, with its `url`, `keys`, `requests` and `is_sealed`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), TransitHandler)
    server.keys, server.requests, server.is_sealed = {}, [], False
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
