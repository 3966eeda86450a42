"""
A loopback service that records what two clients send and answers both alike.
"""

import http.server
import json
import threading
import time
import urllib.parse

import attrs
import pytest
from azure.core.credentials import AccessToken

# Left to each client: who it is, when and how often it asks.
_OWN_HEADERS = {
    "accept-encoding",
    "accept-language",
    "authorization",
    "connection",
    "content-length",
    "host",
    "user-agent",
    "x-ms-client-request-id",
}


@attrs.frozen(kw_only=True)
class Sent:
    method: str
    path: str
    query: tuple
    headers: tuple
    body: object
    authorization: str


@attrs.define
class Exchange:
    url: str
    answers: list = attrs.field(factory=list)
    sent: list = attrs.field(factory=list)

    def answer(self, status, document=None, **headers):
        self.answers.append((status, document, headers))

    def take(self):
        sent, self.sent = self.sent, []
        return sent


@pytest.fixture
def exchange():
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def exchange_once(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            parts = urllib.parse.urlsplit(self.path)
            here.sent.append(
                Sent(
                    method=self.command,
                    path=urllib.parse.unquote(parts.path),
                    query=tuple(sorted(urllib.parse.parse_qsl(parts.query))),
                    headers=tuple(
                        sorted(
                            (name.lower(), value.split(";")[0])
                            for name, value in self.headers.items()
                            if name.lower() not in _OWN_HEADERS
                        )
                    ),
                    body=json.loads(body) if body else None,
                    authorization=self.headers.get("Authorization", ""),
                )
            )
            status, document, headers = here.answers.pop(0)
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if content:
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = exchange_once  # noqa: N815  # its names

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here = Exchange(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


class Credential:
    def get_token(self, *scopes, **options):
        return AccessToken("the-token", int(time.time()) + 3600)


@pytest.fixture
def credential():
    return Credential()
