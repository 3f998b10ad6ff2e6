"""Keys as people see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.keys import crumbs, decoded, download_name, encoded, name_within, parent_prefix, visible


@pytest.mark.parametrize(
    ("prefix", "steps"),
    [
        ("", []),
        ("a/", [("a", "a/")]),
        ("a/b c/", [("a", "a/"), ("b c", "a/b c/")]),
        ("/", [("/", "/")]),
        ("//a/", [("/", "/"), ("/", "//"), ("a", "//a/")]),
    ],
)
def test_crumbs_lead_to_the_prefix(prefix: str, steps: list[tuple[str, str]]) -> None:
    assert [(crumb.name, crumb.prefix) for crumb in crumbs(prefix)] == steps


@pytest.mark.parametrize(
    ("key", "prefix"),
    [("a", ""), ("a/b", "a/"), ("a/b/", "a/"), ("a/", ""), ("/a", "/"), ("a//b", "a//"), ("//", "/"), ("/", "")],
)
def test_parent_is_the_prefix_under_which_a_key_is_listed(key: str, prefix: str) -> None:
    assert parent_prefix(key) == prefix


@pytest.mark.parametrize(
    ("key", "prefix", "name"),
    [("a/b", "a/", "b"), ("a/b/", "a/", "b"), ("/", "", "/"), ("a\nb", "", "a\\nb"), ("a/", "a/", "/")],
)
def test_a_name_is_never_empty(key: str, prefix: str, name: str) -> None:
    assert name_within(key, prefix) == name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a/b.txt", "b.txt"),
        ("..", "download"),
        ("a/..", "download"),
        ("", "download"),
        ("dir/", "dir"),
        ('q".txt', "q_.txt"),
        ("a\r\nSet-Cookie: x", "a__Set-Cookie_ x"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("ü ☃.txt", "ü ☃.txt"),
        ("C:\\evil.bat", "C__evil.bat"),
    ],
)
def test_a_download_has_a_harmless_name(key: str, name: str) -> None:
    assert download_name(key) == name


def test_a_long_download_name_keeps_its_extension() -> None:
    name = download_name("x" * 900 + ".tar.gz")
    assert len(name) == 200
    assert name.endswith(".gz")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_keys_survive_encoding_and_carry_nothing_that_markup_minds(key: str) -> None:
    assert decoded(encoded(key)) == key
    assert not set(encoded(key)) & set("<>\"'&?# \n\r/+")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_download_names_hold_no_path_and_no_control(key: str) -> None:
    name = download_name(key)
    assert name
    assert name not in {".", ".."}
    assert "/" not in name
    assert "\\" not in name
    assert visible(name) == name
