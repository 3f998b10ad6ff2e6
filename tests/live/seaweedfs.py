"""SeaweedFS as an S3 server of other people's, on free ports, that tests kill and start again."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.live.processes import wait_until
from tests.live.system import free_ports

ACCESS_KEY = "seaweed-access-key"
SECRET_KEY = "the secret key of the other server"
PORT_OPTIONS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port",
    "s3.port.grpc",
)  # fmt: skip


def weed_path() -> str | None:
    """Return SeaweedFS's program, if it is installed."""
    return shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")


@dataclass(slots=True)
class SeaweedFS:
    """A server with its data in a directory."""

    directory: Path
    ports: list[int]
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, directory: Path) -> SeaweedFS:
        """Start one and wait until its S3 gateway takes and gives back an object."""
        directory.mkdir(parents=True)
        identity = {
            "name": "owner",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (directory / "s3.json").write_text(json.dumps({"identities": [identity]}))
        server = cls(directory, free_ports(len(PORT_OPTIONS)))
        server.run()
        return server

    @property
    def endpoint(self) -> str:
        """The address of its S3 gateway."""
        return f"http://127.0.0.1:{self.ports[PORT_OPTIONS.index('s3.port')]}"

    def client(self) -> Any:
        """Return a client of its owner."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=2,
                read_timeout=10,
                request_checksum_calculation="when_required",
                s3={"addressing_style": "path"},
            ),
        )

    def options(self, bucket: str, location: str = "") -> dict[str, Any]:
        """Return what django-storages' S3 backend needs to know."""
        return {
            "bucket_name": bucket,
            "location": location,
            "endpoint_url": self.endpoint,
            "region_name": "us-east-1",
            "addressing_style": "path",
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
        }

    def run(self) -> None:
        """Start the process, for the first time or again."""
        program = weed_path()
        assert program is not None
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    program,
                    "server",
                    f"-dir={self.directory}",
                    "-s3",
                    f"-s3.config={self.directory / 's3.json'}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    "-master.volumeSizeLimitMB=64",
                    "-volume.max=100",
                    "-volume.minFreeSpace=1",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    *(f"-{option}={port}" for option, port in zip(PORT_OPTIONS, self.ports, strict=True)),
                ],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._works, "SeaweedFS takes and gives back an object", seconds=90)

    def _works(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.directory / "log").read_text()[-2000:]
        client = self.client()
        try:
            if "trial" not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
                client.create_bucket(Bucket="trial")
            client.put_object(Bucket="trial", Key="k", Body=b"v")
            return bool(client.get_object(Bucket="trial", Key="k")["Body"].read() == b"v")
        except (ClientError, BotoCoreError):
            return False

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None
