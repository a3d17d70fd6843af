"""Requests over kept connections, from many threads: what the campaigns ask with."""

import http.client
import json
import ssl
import threading
import time
import urllib.parse

# After which a kept connection is not used again.
IDLE_SECONDS = 20


class Caller:
    """One connection to one node; not for two threads at once."""

    def __init__(self, url: str, token: str | None = None):
        parts = urllib.parse.urlsplit(url)
        self.address = parts.netloc
        self.trust = ssl.create_default_context() if parts.scheme == "https" else None
        self.token = token
        self.connection: http.client.HTTPConnection | None = None
        self.used = 0.0

    def send(self, method: str, path: str, body=None, **headers: str) -> tuple[int, dict]:
        """Status and decoded answer. Raises OSError or HTTPException when the node does not answer."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body), "application/json"
        # A node closes a connection that nobody has used for a minute; a request on its way meanwhile would be lost.
        if time.monotonic() - self.used > IDLE_SECONDS:
            self.close()
        self.used = time.monotonic()
        if self.connection is None:
            if self.trust:
                self.connection = http.client.HTTPSConnection(self.address, timeout=60, context=self.trust)
            else:
                self.connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            self.connection.request(method, f"/api/v1{path}", data, headers)
            answer = self.connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.will_close:
            self.close()
        try:
            return answer.status, json.loads(content or b"{}")
        except ValueError:
            return answer.status, {}

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Load:
    """Runs `ask(number)` over and over on some threads until it is ended; `ask` raises AssertionError for a wrong answer."""

    def __init__(self, threads: int, make_ask):
        self.asked, self.wrong = 0, []
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(make_ask(index),)) for index in range(threads)]

    def _run(self, ask) -> None:
        while not self._ended.is_set():
            try:
                ask()
            except (AssertionError, OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.wrong.append(f"{time.strftime('%H:%M:%S')} {type(error).__name__}: {error}")
                time.sleep(0.05)
            with self._lock:
                self.asked += 1

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def require_fine(self, what: str) -> None:
        assert not self.wrong, f"{what}: {len(self.wrong)} of {self.asked} requests failed: {self.wrong[:5]}"
