"""Wildcards and variables of policies."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accesscontrol.policy.patterns import PatternError, compile_pattern

CONTEXT = {"aws:username": ("bob",), "aws:principaltag/team": ("a*b",), "aws:many": ("1", "2")}


@pytest.mark.parametrize(
    ("pattern", "found", "is_match"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "a", True),
        ("a*", "abc", True),
        ("*", "", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a*b*c", "a--b--c", True),
        ("a*b*c", "a--c--b", False),
        ("*ab", "aab", True),
        ("a*a", "a", False),
        ("a.c", "abc", False),
        ("a*", "a\nb", True),
        ("${aws:username}/*", "bob/x", True),
        ("${aws:username}/*", "eve/x", False),
        ("${AWS:UserName}", "bob", True),
        ("${aws:missing}*", "", False),
        ("${aws:missing, 'all'}/x", "all/x", True),
        ("${aws:many}", "1", False),
        ("${aws:PrincipalTag/team}", "a*b", True),
        ("${aws:PrincipalTag/team}", "axb", False),
        ("${*}${?}${$}", "*?$", True),
        ("${*}", "x", False),
    ],
)
def test_patterns_match_as_iam_has_it(*, pattern: str, found: str, is_match: bool) -> None:
    assert compile_pattern(pattern, has_variables=True).matches(found, CONTEXT) is is_match


@pytest.mark.parametrize("pattern", ["${}", "${name}", "${aws:a*}", "${aws:a b}"])
def test_variables_that_cannot_be_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern, has_variables=True)


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_wildcards_agree_with_a_shell_s(pattern: str, found: str) -> None:
    assert compile_pattern(pattern, has_variables=False).matches(found, {}) is fnmatch.fnmatchcase(found, pattern)


def test_no_pattern_takes_long() -> None:
    pattern = compile_pattern("*a" * 200 + "*b", has_variables=False)
    began = time.process_time()
    assert not pattern.matches("a" * 1_000, {})
    assert time.process_time() - began < 1
