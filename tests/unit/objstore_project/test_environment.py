from __future__ import annotations

import stat
from pathlib import Path

import pytest

from objstore_project.environment import (
    Address,
    ConfigurationError,
    Environment,
    prepare_data_directory,
    secret_key,
    write_private_file,
)


def environment(**variables: str) -> Environment:
    return Environment(variables)


def test_an_empty_variable_counts_as_unset() -> None:
    assert environment(NAME="").text("NAME", "default") == "default"
    assert environment(NAME="").secret("NAME") is None


@pytest.mark.parametrize("value", ["one", "1.5", "-1", "1e3", "٣x"])
def test_what_is_no_whole_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME: expected a whole number of at least 0"):
        environment(NAME=value).integer("NAME", 1)


@pytest.mark.parametrize("value", ["nan", "inf", "-0.1", "x"])
def test_what_is_no_finite_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME: expected a number of at least 0"):
        environment(NAME=value).number("NAME", 1.0)


def test_a_choice_is_taken_in_any_case_and_nothing_else_is() -> None:
    assert environment(NAME="JSON").choice("NAME", "text", choices=("text", "json")) == "json"
    with pytest.raises(ConfigurationError, match="NAME: expected one of text, json"):
        environment(NAME="xml").choice("NAME", "text", choices=("text", "json"))


def test_words_are_trimmed_and_empty_ones_dropped() -> None:
    assert environment(NAME=" a.example , ,b.example,").words("NAME") == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("127.0.0.1:9000", Address("127.0.0.1", 9000)),
        ("[::1]:9000", Address("::1", 9000)),
        ("localhost:65535", Address("localhost", 65535)),
    ],
)
def test_an_address_reads_as_it_is_written(value: str, address: Address) -> None:
    assert environment(NAME=value).address("NAME", "") == address
    assert str(address) == value


@pytest.mark.parametrize(
    "value",
    ["9000", ":9000", "host", "host:", "host:0", "host:65536", "host:x", "u@host:1", "h:1/p", "::1:9", "[::1:9"],
)
def test_what_is_no_address_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME: expected host:port"):
        environment(NAME=value).address("NAME", "")


def test_a_secret_comes_from_a_file_without_its_line_break(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" with spaces \n")
    assert environment(NAME_FILE=str(tmp_path / "secret")).secret("NAME") == " with spaces "


def test_a_secret_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="NAME_FILE: cannot read .*: No such file"):
        environment(NAME_FILE=str(tmp_path / "secret")).secret("NAME")


def test_a_secret_given_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="NAME and NAME_FILE are both set"):
        environment(NAME="x", NAME_FILE="/y").secret("NAME")


def test_a_database_url_is_taken_apart() -> None:
    url = "postgresql://us%40er:p%2Fw@db.example:5433/my%20data?sslmode=verify-full"
    address = environment(NAME=url).database_url("NAME")
    assert address is not None
    assert (address.user, address.password, address.host, address.port) == ("us@er", "p/w", "db.example", 5433)
    assert (address.name, address.options) == ("my data", {"sslmode": "verify-full"})


def test_a_database_url_may_name_a_socket_directory() -> None:
    address = environment(NAME="postgres://user@/data?host=/run/postgresql").database_url("NAME")
    assert address is not None
    assert (address.host, address.options) == ("/run/postgresql", {})


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "mysql://h/d",
        "postgresql://h",
        "postgresql:///d",
        "postgresql://h:x/d",
        "postgresql://[h/d",
        "postgresql://h/d?x",
    ],
)
def test_what_is_no_database_url_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME: expected postgresql://"):
        environment(NAME=value).database_url("NAME")


@pytest.mark.parametrize("value", ["redis://h:6379/0", "rediss://:secret@h/1", "unix:///run/valkey.sock?db=1"])
def test_a_redis_url_is_taken_as_it_is(value: str) -> None:
    assert environment(NAME=value).redis_url("NAME") == value


@pytest.mark.parametrize("value", ["x", "http://h", "redis://", "unix://", "redis://h:x"])
def test_what_is_no_redis_url_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME: expected redis://"):
        environment(NAME=value).redis_url("NAME")


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    variables = {"OBJSTORE_DATA_DIR": str(tmp_path / "new" / "var")}
    directory = prepare_data_directory(variables)
    first = secret_key(Environment(variables))
    assert prepare_data_directory(variables) == directory
    assert secret_key(Environment(variables)) == first
    assert stat.S_IMODE((directory / "secret-key").stat().st_mode) == 0o600


def test_no_secret_key_is_made_where_one_is_given(tmp_path: Path) -> None:
    variables = {"OBJSTORE_DATA_DIR": str(tmp_path), "OBJSTORE_SECRET_KEY": "x" * 32}
    assert not (prepare_data_directory(variables) / "secret-key").exists()
    assert secret_key(Environment(variables)) == "x" * 32


def test_without_a_secret_key_a_process_stops_instead_of_making_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="OBJSTORE_SECRET_KEY is unset"):
        secret_key(environment(OBJSTORE_DATA_DIR=str(tmp_path)))


def test_a_private_file_replaces_its_predecessor_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a longer predecessor")
    write_private_file(path, "text")
    assert path.read_text() == "text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
