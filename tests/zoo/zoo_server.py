"""A host on this machine that behaves as badly as it is told to."""

import contextlib
import hashlib
import http.server
import json
import threading
import time

from kerasface.spec import EmbedderSpec

NAME = "mobilefacenet.test_zoo"
CONTENT = bytes(range(256)) * 2048  # half a megabyte
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SPEC = EmbedderSpec(name=NAME, embedder_id="ab" * 16, embedding_size=128)


def manifest(**changes):
    """A manifest of one embedder with one file, as a tree; changes are of that file."""
    spec = json.loads(SPEC.to_json())
    file = {"path": f"{NAME}/fp16.tflite", "size": len(CONTENT), "sha256": SHA256, "spec": spec, **changes}
    model = {
        "files": {"tflite-fp16": file}, "training_data": "nothing", "licence_code": "Apache-2.0",
        "licence_weights": "Apache-2.0", "licence_data": "none", "recipe": "none", "date": "2026-01-01",
        "library_version": "0.1.0",
    }  # fmt: skip
    return {"format": 1, "models": {NAME: model}}


class Zoo(http.server.ThreadingHTTPServer):
    """Serves `tree` as manifest.json and `content` as the file; `faults` are what is wrong with its next answers.

    `asked` lists the file's requests, each with its Range.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tree, self.content, self.faults, self.asked, self.ranges = manifest(), CONTENT, [], [], True
        self.text = None

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}/zoo"

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        zoo = self.server
        if self.path == "/zoo/manifest.json":
            self._answer(200, (zoo.text or json.dumps(zoo.tree)).encode(errors="surrogateescape"))
            return
        begin = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1]) if zoo.ranges else 0
        zoo.asked.append(begin)
        fault = zoo.faults.pop(0) if zoo.faults else None
        if isinstance(fault, int) and fault >= 400:
            self._answer(fault, b"no")
        elif fault == "redirect":
            self.send_response(302)
            self.send_header("Location", f"{zoo.address}/elsewhere.tflite")
            self.end_headers()
        elif fault == "corrupt":
            self._answer(200, b"\1" + zoo.content[1:])
        else:
            self._answer(206 if begin else 200, zoo.content[begin:], fault)

    def _answer(self, status, body, fault=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "truncate":
            self.wfile.write(body[: len(body) // 2])
        elif fault == "stall":
            self.wfile.write(body[:1000])
            self.wfile.flush()
            time.sleep(1.5)
            self.wfile.write(body[1000:])  # for a client that has waited
        elif fault == "slow":
            for start in range(0, len(body), 1 << 14):
                self.wfile.write(body[start : start + (1 << 14)])
                self.wfile.flush()
                time.sleep(0.03)
        else:
            self.wfile.write(body)


@contextlib.contextmanager
def running_zoo():
    """Serves while the block runs."""
    with Zoo() as zoo:
        thread = threading.Thread(target=zoo.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield zoo
        zoo.shutdown()
