"""The decision: which statements match a request, and what follows.

The order is AWS's. One matching Deny, in whichever policy, decides. Otherwise, within the resource's own account either
side may allow: the resource (its policy or a grant of its access control list, naming the principal or everyone) or the
principal's own policies. Across accounts both must: the resource, naming the principal, its account or everyone, and
the principal's own policies. The root user of an account needs no policy of its own. A permissions boundary and session
policies allow nothing; they must allow, too, whatever the principal's policies allow, and what the resource allows
unless that names the principal itself.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from accesscontrol.policy.document import Policy
from accesscontrol.policy.principals import Reach
from accesscontrol.policy.request import AccessRequest

ACL_SOURCE = "access control list"
"""The source of matches that are grants."""


class Outcome(StrEnum):
    """How a decision came about."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitly denied"
    IMPLICIT_DENY = "not allowed"


@dataclass(frozen=True, slots=True)
class Match:
    """A statement or grant that speaks of the request: where it stands, what it says, and how closely.

    `origin` names the policy among those of its source, where there may be several.
    """

    source: str
    name: str
    is_allow: bool
    reach: Reach
    origin: str = ""

    def __str__(self) -> str:
        where = f"{self.source} {self.origin}" if self.origin else self.source
        return f"{'Allow' if self.is_allow else 'Deny'} {self.name!r} of the {where}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, how it came about, the reason in words, and everything that matched, in order of evaluation.

    `request` is what was asked, `owner_account_id` whose the resource is; both are absent where nothing needed asking.
    """

    outcome: Outcome
    reason: str
    trace: tuple[Match, ...] = ()
    request: AccessRequest | None = field(default=None, compare=False, repr=False)
    owner_account_id: str | None = field(default=None, compare=False)

    @property
    def is_allowed(self) -> bool:
        """Whether the request may go on."""
        return self.outcome == Outcome.ALLOWED


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access control list says for the request's principal: the grant in words, and how closely it names it."""

    name: str
    reach: Reach


@dataclass(frozen=True, slots=True)
class PrincipalPolicies:
    """The policies of a principal. No boundary and no session policies (None) is no limit; an empty session is one."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None


NO_POLICIES = PrincipalPolicies()


def evaluate(
    request: AccessRequest,
    *,
    owner_account_id: str | None,
    principal_policies: PrincipalPolicies = NO_POLICIES,
    resource_policy: Policy | None = None,
    is_resource_policy_granting: bool = True,
    resource_source: str = "bucket policy",
    grants: Iterable[Grant] = (),
) -> Decision:
    """Decide about a request on a resource of an account; None is the service itself, open to every account.

    `is_resource_policy_granting` False leaves the resource policy its denials only; `resource_source` is what it is called.
    """
    policies = principal_policies
    resource = _matches(request, resource_source, (resource_policy,) if resource_policy else ())
    identity = _matches(request, "identity policy", policies.identity)
    boundary = _matches(request, "permissions boundary", (policies.boundary,) if policies.boundary else ())
    session = _matches(request, "session policy", policies.session or ())
    granted = [Match(ACL_SOURCE, grant.name, True, grant.reach) for grant in grants]
    trace = (*resource, *granted, *identity, *boundary, *session)

    def decided(outcome: Outcome, reason: str) -> Decision:
        return Decision(outcome, reason, trace, request, owner_account_id)

    for match in trace:
        if not match.is_allow:
            return decided(Outcome.EXPLICIT_DENY, str(match))
    reaching = max([*(resource if is_resource_policy_granting else ()), *granted], key=_reach_of, default=None)
    reach = Reach.NOBODY if reaching is None else reaching.reach
    caller = request.caller
    if caller.account_id is None:
        if reach >= Reach.EVERYONE:
            return decided(Outcome.ALLOWED, str(reaching))
        return decided(Outcome.IMPLICIT_DENY, f"nothing allows {request.action} to everyone")

    is_within = caller.is_root or policies.boundary is None or bool(boundary)
    is_within = is_within and (policies.session is None or bool(session))
    is_allowed_by_own = is_within and (caller.is_root or bool(identity))
    if owner_account_id is None or caller.account_id == owner_account_id:
        if is_allowed_by_own:
            own = str(identity[0]) if identity else "the root user of an account may do what the account may"
            return decided(Outcome.ALLOWED, own)
        if reach == Reach.PRINCIPAL or (reach >= Reach.EVERYONE and is_within):
            return decided(Outcome.ALLOWED, str(reaching))
        return decided(Outcome.IMPLICIT_DENY, f"no policy allows {request.action} to {caller.arn}")
    if reach == Reach.NOBODY:
        return decided(Outcome.IMPLICIT_DENY, "the resource belongs to another account that does not share it")
    if not is_allowed_by_own:
        return decided(Outcome.IMPLICIT_DENY, f"no policy of its own account allows {request.action}")
    return decided(Outcome.ALLOWED, str(reaching))


def _matches(request: AccessRequest, source: str, policies: Iterable[Policy]) -> list[Match]:
    found = []
    action, resource = request.action, request.resource
    for policy in policies:
        for statement in policy.statements_about(action):
            if not resource.startswith(statement.prefixes):  # most statements end here
                continue
            reach = statement.reach(request)
            if reach != Reach.NOBODY and statement.covers(request):
                found.append(Match(source, statement.name, statement.is_allow, reach, policy.origin))
    return found


def _reach_of(match: Match) -> Reach:
    return match.reach
