"""A web server on this machine that can misbehave as others do."""

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """How to answer one request, where that is not by sending the file."""

    status: int | None = None  # by default, 200 or 206 as asked for
    cut: int | None = None  # bytes to send before the connection ends
    announced: int | None = None  # a Content-Length that is not true
    headers: dict[str, str] = field(default_factory=dict)
    wait_for: threading.Event | None = None  # before anything is sent
    stay_for: threading.Event | None = None  # after that, with the connection open


class FileServer(ThreadingHTTPServer):
    """Serves one file at every path.

    Set `content`, `version` (its ETag, None for none) and `ranges` (whether it sends
    parts); `script` holds answers to the next requests, `always` one to all others.
    `requests` holds what was asked for and how many bytes were sent.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = bytes(range(256)) * 40
        self.version = '"first"'
        self.ranges = True
        self.script: list[Answer] = []
        self.always = Answer()
        self.requests: list[dict] = []

    def address(self, path: str = "elmo.tar.gz") -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"

    @property
    def ranges_asked_for(self) -> list[str | None]:
        return [request["range"] for request in self.requests]


class _Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        answer = server.script.pop(0) if server.script else server.always
        record = {
            "path": self.path,
            "range": self.headers.get("Range"),
            "accepted": self.headers.get("Accept-Encoding"),
            "sent": 0,
        }
        server.requests.append(record)
        if answer.wait_for:
            answer.wait_for.wait(20)
        start = self._start() if answer.status in (None, 206) else 0
        body = server.content[start:] if start < len(server.content) else b""
        status = answer.status or (200 if not start else 206 if body else 416)
        self.send_response(status)
        length = answer.announced or len(body)
        headers = {"Content-Length": length, "Connection": "close"}
        if server.version:
            headers["ETag"] = server.version
        if status == 206:
            end = len(server.content)
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{end}"
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        record["sent"] = len(body[: answer.cut])
        self.wfile.write(body[: answer.cut])
        if answer.stay_for:
            answer.stay_for.wait(20)

    def _start(self) -> int:
        asked = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
        is_same = self.headers.get("If-Range") in (None, self.server.version)
        return int(asked[1]) if asked and is_same and self.server.ranges else 0

    def log_message(self, *args):
        pass
