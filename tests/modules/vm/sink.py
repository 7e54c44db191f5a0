"""Writes down each request that it gets: its authorization and its body."""

import http.server
import sys


class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with open(sys.argv[2], "ab") as rows:
            rows.write(f"authorization: {self.headers.get('authorization')}\n".encode())
            rows.write(body + b"\n")
        self.send_response(200)
        self.end_headers()


http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Sink).serve_forever()
