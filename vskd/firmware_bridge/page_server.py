"""A web server for one folder, for this machine alone."""

import errno
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

from vskd.errors import VskdError

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""Hosts that a request may name. Another one is a foreign page whose name was pointed at this machine."""
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(self), gyroscope=(self), camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class ServerError(VskdError):
    """The page cannot be served."""


class PageHandler(SimpleHTTPRequestHandler):
    """Files of one folder; no listing of folders, no other host, no line on stderr for each request."""

    server: "PageServer"
    server_version = "vskd"
    sys_version = ""

    def send_head(self) -> BinaryIO | None:
        """Refuse a foreign host before anything is looked at."""
        if self.headers.get("Host", "") not in self.server.hosts:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "Not a name of this machine")
            return None
        return super().send_head()

    def list_directory(self, path: object) -> None:
        """There is nothing to list."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """Add what every answer has."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class PageServer(ThreadingHTTPServer):
    """Serves one folder on 127.0.0.1.

    Args:
        folder: what is served.
        port: 0 takes a free one.

    Raises:
        ServerError: the port is taken, or not allowed.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path, port: int) -> None:
        try:
            super().__init__((HOST, port), partial(PageHandler, directory=str(folder)))
        except OSError as error:
            known: dict[int | None, str] = {errno.EADDRINUSE: "is taken", errno.EACCES: "is not allowed"}
            why = known.get(error.errno, f"fails: {error}")
            raise ServerError(
                f"Port {port} {why}", "Choose another one with --port, or 0 for any that is free"
            ) from error

    @property
    def port(self) -> int:
        """The one that it listens on."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{HOST}:{self.port}/"

    @property
    def hosts(self) -> frozenset[str]:
        """What a request's header may say."""
        return frozenset(f"{name}:{self.port}" for name in NAMES)
