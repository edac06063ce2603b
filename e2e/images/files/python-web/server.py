"""A small web application: says who answers, counts visits in a file, echoes what it is sent."""

import json
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COUNTER = os.environ.get("COUNTER", "/tmp/visits")
lock = threading.Lock()


def visit() -> int:
    with lock:
        try:
            with open(COUNTER, encoding="ascii") as file:
                count = int(file.read())
        except FileNotFoundError:
            count = 0
        with open(COUNTER, "w", encoding="ascii") as file:
            file.write(str(count + 1))
        return count + 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/healthz":
            return self.answer(b"ok\n")
        about = {"hostname": socket.gethostname(), "path": self.path, "pid": os.getpid(), "uid": os.getuid(), "visits": visit()}
        return self.answer(json.dumps(about).encode() + b"\n", "application/json")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler)
    print("listening on port", server.server_port, flush=True)
    server.serve_forever()
