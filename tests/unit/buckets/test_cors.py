"""Rules for requests from other origins."""

import pytest

from buckets.cors import VARY, answer_headers, asked_headers, checked_rules, find_rule
from s3protocol import errors


def rule(*origins, methods=("GET",), headers=(), **more):
    return {"AllowedMethods": list(methods), "AllowedOrigins": list(origins), "AllowedHeaders": list(headers), **more}


@pytest.mark.parametrize(
    ("pattern", "origin", "fits"),
    [
        ("*", "http://a", True),
        ("http://a", "http://a", True),
        ("http://a", "http://A", False),
        ("*suffix", "foo.suffix", True),
        ("*suffix", "foo.suffix.get", False),
        ("start*end", "startend", True),
        ("start*end", "start12end", True),
        ("start*end", "0start12end", False),
        ("prefix*", "prefix", True),
        ("prefix*", "bla.prefix", False),
        ("aba*aba", "aba", False),
    ],
)
def test_an_origin_fits_a_pattern_with_one_wildcard(pattern, origin, fits):
    assert (find_rule([rule(pattern)], origin=origin, method="GET") is not None) is fits


def test_the_first_rule_that_fits_all_of_a_request_decides():
    rules = [rule("http://a"), rule("http://a", methods=["PUT"], headers=["X-Amz-*", "content-type"]), rule("*")]
    assert find_rule(rules, origin="http://a", method="GET") is rules[0]
    assert find_rule(rules, origin="http://b", method="GET") is rules[2]
    asked = asked_headers("x-amz-date, Content-Type,")
    assert find_rule(rules, origin="http://a", method="PUT", asked_headers=asked) is rules[1]
    assert find_rule(rules, origin="http://a", method="PUT", asked_headers=["x-other"]) is None
    assert find_rule(rules, origin="http://a", method="DELETE") is None


def test_an_answer_names_the_origin_unless_all_are_allowed():
    named = dict(answer_headers(rule("http://*", methods=["GET", "PUT"]), origin="http://a", asked=["X-A", "b"]))
    assert named == {
        "Access-Control-Allow-Origin": "http://a",
        "Access-Control-Allow-Methods": "GET, PUT",
        "Access-Control-Allow-Headers": "x-a, b",
        "Access-Control-Allow-Credentials": "true",
        "Vary": VARY,
    }
    everybody = dict(answer_headers(rule("*", ExposeHeaders=["ETag", "x"], MaxAgeSeconds=5), origin="http://a"))
    assert everybody["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in everybody
    assert (everybody["Access-Control-Expose-Headers"], everybody["Access-Control-Max-Age"]) == ("ETag, x", "5")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ([], errors.MalformedXML),
        ([rule("*")] * 101, errors.InvalidRequest),
        ([rule("*", methods=["PATCH"])], errors.InvalidRequest),
        ([rule("*", methods=["get"])], errors.InvalidRequest),
        ([rule("http://*.*")], errors.InvalidRequest),
        ([rule("*", headers=["*-*"])], errors.InvalidRequest),
        ([rule("*", ExposeHeaders=["x-*"])], errors.InvalidRequest),
        ([rule("*", ID="i" * 256)], errors.InvalidArgument),
    ],
)
def test_rules_that_s3_would_not_take_are_refused(wrong, error):
    with pytest.raises(error):
        checked_rules({"CORSRules": wrong})


def test_good_rules_are_kept_as_they_are():
    rules = [rule("http://*", headers=["*"], ID="one")]
    assert checked_rules({"CORSRules": rules}) == rules
