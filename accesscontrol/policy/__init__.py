"""The policy engine: what IAM and bucket policies say, and what follows from them for a request. Pure.

Theory: a policy is a list of statements, each of which either matches a request (its principal, action, resource and
conditions all do) or says nothing. One matching Deny anywhere decides; otherwise somebody must allow, and who has to
depends on whether principal and resource belong to the same account (`evaluation`). Texts are parsed and compiled once
(`document`, cached by text), so that a decision is a few dictionary look-ups and string comparisons.

Not for: where policies are kept, access control lists, S3's error codes. Values in, values out; no Django, no clock.
Language: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from accesscontrol.policy.document import Policy, PolicyError, PolicyKind, Statement, parse_policy
from accesscontrol.policy.evaluation import (
    ACL_SOURCE,
    NO_POLICIES,
    Decision,
    Grant,
    Match,
    Outcome,
    PrincipalPolicies,
    evaluate,
)
from accesscontrol.policy.principals import Caller, Reach
from accesscontrol.policy.publicity import is_public
from accesscontrol.policy.request import AccessRequest, ContextValues, normalized_key

__all__ = [
    "ACL_SOURCE",
    "NO_POLICIES",
    "AccessRequest",
    "Caller",
    "ContextValues",
    "Decision",
    "Grant",
    "Match",
    "Outcome",
    "Policy",
    "PolicyError",
    "PolicyKind",
    "PrincipalPolicies",
    "Reach",
    "Statement",
    "evaluate",
    "is_public",
    "normalized_key",
    "parse_policy",
]
