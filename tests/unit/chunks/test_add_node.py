"""`manage.py add_node` with storages, and what is shown of them afterwards."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from chunks import topology
from chunks.models import Node
from tests.contract.object_storage import ObjectStorage

STORAGE = "tests.contract.object_storage.ObjectStorage"
SECRET = "a secret that must not be seen"

pytestmark = pytest.mark.django_db


def add_node(*arguments: str) -> str:
    output = StringIO()
    call_command("add_node", *arguments, stdout=output)
    return output.getvalue()


def listed(*arguments: str) -> str:
    output = StringIO()
    call_command("list_nodes", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def account(tmp_path: Path) -> str:
    return str(tmp_path)


def test_a_storage_becomes_a_node_whose_secrets_nobody_sees(account: str, settings: Any) -> None:
    settings.OBJSTORE_NODE_RESERVE_BYTES = None
    answer = add_node(
        "far", "cloud", "--storage", STORAGE, "--option", f"account={account}", "--option", f"api_key={SECRET}"
    )
    assert answer.startswith("far (id ")
    node = Node.objects.get(name="far")
    assert (node.store_kind, node.location, node.options) == ("django_storage", STORAGE, {"account": account})
    assert SECRET.encode() not in bytes(node.sealed_options)
    assert str(node.identity).encode() == ObjectStorage.accounts[account]["identity"][0]

    store: Any = topology.refresh().store(node.pk)
    assert store.check_identity() == node.identity
    assert store._driver._storage.api_key == SECRET
    line = next(line for line in listed().splitlines() if line.startswith("far"))
    assert f"{STORAGE} account={account}" in line
    assert SECRET not in listed() + listed("--json")
    [described] = [one for one in json.loads(listed("--json")) if one["name"] == "far"]
    assert described["options"] == f"account={account}"


def test_no_page_of_the_admin_has_the_sealed_secrets(account: str) -> None:
    add_node("far", "cloud", "--storage", STORAGE, "--option", f"account={account}", "--option", f"api_key={SECRET}")
    admin = site._registry[Node]
    fields = admin.get_fields(RequestFactory().get("/"), Node.objects.get(name="far"))
    assert "options" in fields
    assert "sealed_options" not in fields


def test_secrets_come_from_files_and_from_the_environment(account: str, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    add_node(
        "one", "z", "--storage", STORAGE, "--option", f"account={account}1", "--option-file", f"api_key={tmp_path}/key"
    )
    settings.OBJSTORE_NODE_SECRETS = {"FAR": "another secret"}
    add_node("two", "z", "--storage", STORAGE, "--option", f"account={account}2", "--option-env", "api_key=FAR")
    assert Node.objects.get(name="two").options["api_key"] == {"from_environment": "FAR"}
    nodes = topology.refresh()
    stores: list[Any] = [nodes.store(Node.objects.get(name=name).pk) for name in ("one", "two")]
    assert [store._driver._storage.api_key for store in stores] == [SECRET, "another secret"]


def test_the_same_storage_is_no_second_node(account: str) -> None:
    add_node("one", "z", "--storage", STORAGE, "--option", f"account={account}")
    with pytest.raises(CommandError, match="is a node already"):
        add_node("two", "z", "--storage", STORAGE, "--option", f"account={account}")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "a directory or --storage"),
        (("/tmp/x", "--storage", STORAGE), "a directory or --storage"),
        (("--storage", STORAGE, "--option", "account"), "an option is NAME=VALUE"),
        (("--storage", STORAGE, "--option", "colour=red"), "unexpected keyword argument"),
        (("--storage", "no.such.Class"), "can't be imported"),
        (("--storage", STORAGE, "--option-file", "api_key=/no/such/file"), "--option-file"),
        (("--storage", STORAGE, "--option-env", "api_key=NOWHERE"), "OBJSTORE_NODE_SECRET_NOWHERE is not set"),
        (("--storage", STORAGE, "--capacity-bytes", "0"), "--capacity-bytes: expected more than 0"),
        (("/tmp/x", "--capacity-bytes", "5"), "are for --storage"),
    ],
)
def test_what_is_no_node_is_refused_with_its_reason(arguments: tuple[str, ...], expected: str) -> None:
    with pytest.raises(CommandError, match=expected):
        add_node("n", "z", *arguments)
    assert not Node.objects.filter(name="n").exists()


def test_a_nodes_options_may_change_while_processes_run(account: str) -> None:
    add_node("far", "cloud", "--storage", STORAGE, "--option", f"account={account}", "--option", "api_key=old")
    node = Node.objects.get(name="far")
    before = topology.refresh().store(node.pk)
    assert topology.refresh().store(node.pk) is before
    Node.objects.filter(pk=node.pk).update(options={"account": account, "file_overwrite": False})
    store: Any = topology.refresh().store(node.pk)
    assert store is not before
    assert store._driver._storage.file_overwrite is False


def test_a_node_gets_new_credentials_if_it_stays_the_same_storage(account: str) -> None:
    add_node("far", "cloud", "--storage", STORAGE, "--option", f"account={account}", "--option", "api_key=old")
    output = StringIO()
    call_command("set_node_options", "far", "--option", f"api_key={SECRET}", stdout=output)
    assert SECRET not in output.getvalue()
    store: Any = topology.refresh().store(Node.objects.get(name="far").pk)
    assert store._driver._storage.api_key == SECRET
    with pytest.raises(CommandError, match="that is another storage: node of nobody"):
        call_command("set_node_options", "far", "--option", f"account={account}/elsewhere")
    assert Node.objects.get(name="far").options == {"account": account}
    call_command("set_node_options", "far", "--remove", "api_key", "--option", "file_overwrite=false", stdout=output)
    assert bytes(Node.objects.get(name="far").sealed_options) == b""


def test_a_local_disk_has_no_options(tmp_path: Path) -> None:
    add_node("near", "z", str(tmp_path / "disk"))
    with pytest.raises(CommandError, match="there is no node 'near' in a storage"):
        call_command("set_node_options", "near", "--option", "a=b")
