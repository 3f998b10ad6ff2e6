"""IAM's policy simulator: what would be decided, by which statements, and what is not known for that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accesscontrol.arns import read_arn
from accesscontrol.models import ManagedPolicy, PolicyVersion, Role, User, UserGroup
from accesscontrol.policy import Decision, Match, Outcome, PolicyError, normalized_key
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import (
    Holder,
    find_group,
    find_role,
    find_user,
    holder_arn,
    holder_kind,
    page_of_list,
    policy_arn,
)
from accesscontrol.simulation import SimulatedCaller, Simulation, SourcePolicy, context_keys, statement_positions
from s3protocol.query import errors
from s3protocol.query.registry import Target, query_operation

Entries = Sequence[Mapping[str, Any]]
RESULTS_MAX = 1_000
_OUTCOMES = {
    Outcome.ALLOWED: "allowed",
    Outcome.EXPLICIT_DENY: "explicitDeny",
    Outcome.IMPLICIT_DENY: "implicitDeny",
}
_HARMLESS = {"resource_handling_option": "names a scenario of EC2 for which more resources must be given"}


def source_target(_context: QueryContext, arguments: Mapping[str, Any]) -> Target:
    """Name whose policies are simulated."""
    return Target(arguments["policy_source_arn"])


@query_operation("SimulateCustomPolicy", action="iam:SimulateCustomPolicy", harmless=_HARMLESS)
def simulate_custom_policy(
    context: QueryContext,
    *,
    policy_input_list: Sequence[str],
    action_names: Sequence[str],
    permissions_boundary_policy_input_list: Sequence[str] = (),
    resource_arns: Sequence[str] = (),
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: Entries = (),
    max_items: int | None = None,
    marker: str | None = None,
) -> dict[str, Any]:
    """Simulate policies that are given."""
    caller = caller_arn or f"arn:aws:iam::{context.account_id}:user/simulated"
    simulation = Simulation(
        caller=_caller(caller),
        owner_account_id=_account_of(resource_owner) or _account_of(caller),
        identity=_given(policy_input_list, "PolicyInputList"),
        boundary=_boundary(permissions_boundary_policy_input_list),
        resource_policy=_resource_policy(resource_policy),
        context=_now(context) | _values(context_entries),
    )
    return _results(simulation, action_names, resource_arns, marker=marker, max_items=max_items)


@query_operation(
    "SimulatePrincipalPolicy", action="iam:SimulatePrincipalPolicy", about=source_target, harmless=_HARMLESS
)
def simulate_principal_policy(
    context: QueryContext,
    *,
    policy_source_arn: str,
    action_names: Sequence[str],
    policy_input_list: Sequence[str] = (),
    permissions_boundary_policy_input_list: Sequence[str] = (),
    resource_arns: Sequence[str] = (),
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: Entries = (),
    max_items: int | None = None,
    marker: str | None = None,
) -> dict[str, Any]:
    """Simulate the policies that a user, a group or a role has, and more that are given."""
    holder = _find_holder(context, policy_source_arn)
    arn = caller_arn or holder_arn(holder)
    boundary = None if isinstance(holder, UserGroup) or holder.boundary is None else _managed(holder.boundary)
    simulation = Simulation(
        caller=_caller(arn),
        owner_account_id=_account_of(resource_owner) or _account_of(arn),
        identity=[*policies_of(holder), *_given(policy_input_list, "PolicyInputList")],
        boundary=_boundary(permissions_boundary_policy_input_list) or boundary,
        resource_policy=_resource_policy(resource_policy),
        context=_now(context) | _of_holder(holder) | _values(context_entries),
    )
    return _results(simulation, action_names, resource_arns, marker=marker, max_items=max_items)


@query_operation("GetContextKeysForCustomPolicy", action="iam:GetContextKeysForCustomPolicy")
def get_context_keys_for_custom_policy(context: QueryContext, *, policy_input_list: Sequence[str]) -> dict[str, Any]:
    """List the condition keys that policies ask for."""
    return {"ContextKeyNames": _checked(lambda: context_keys(policy_input_list))}


@query_operation("GetContextKeysForPrincipalPolicy", action="iam:GetContextKeysForPrincipalPolicy", about=source_target)
def get_context_keys_for_principal_policy(
    context: QueryContext, *, policy_source_arn: str, policy_input_list: Sequence[str] = ()
) -> dict[str, Any]:
    """List the condition keys that the policies of a user, a group or a role ask for."""
    texts = [policy.text for policy in policies_of(_find_holder(context, policy_source_arn))]
    return {"ContextKeyNames": _checked(lambda: context_keys([*texts, *policy_input_list]))}


def policies_of(holder: Holder) -> list[SourcePolicy]:
    """Return the policies of a user, with those of its groups, or of a group or role. Some statements for each group."""
    holders = [holder, *(holder.user_groups.all() if isinstance(holder, User) else ())]
    found = []
    for one in holders:
        kind = holder_kind(one)
        found += [
            SourcePolicy(f"{kind}_{one.name}_{inline.name}", kind, inline.document)
            for inline in one.inline_policies.all()
        ]
        found += [_managed(attached.policy) for attached in one.attachments.select_related("policy")]
    return found


def _managed(policy: ManagedPolicy) -> SourcePolicy:
    version = PolicyVersion.objects.get(policy=policy, number=policy.default_version)
    kind = "aws-managed" if policy.account_id is None else "user-managed"
    return SourcePolicy(policy_arn(policy), kind, version.document)


def _find_holder(context: QueryContext, arn: str) -> Holder:
    read = read_arn(arn)
    finders = {"user": find_user, "group": find_group, "role": find_role}
    if read is None or read.kind not in finders:
        raise errors.InvalidInput(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    if read.account_id != context.account_id:
        raise errors.NoSuchEntity(f"The entity {arn} is none of this account's.")
    finder: Any = finders[read.kind]
    holder: Holder = finder(context.account_id, read.name)
    return holder


def _caller(arn: str) -> SimulatedCaller:
    return SimulatedCaller(_account_of(arn), arn)


def _account_of(arn: str | None) -> str | None:
    if arn is None:
        return None
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else arn


def _given(texts: Sequence[str], name: str) -> list[SourcePolicy]:
    return [SourcePolicy(f"{name}.{number}", "none", text) for number, text in enumerate(texts, start=1)]


def _boundary(texts: Sequence[str]) -> SourcePolicy | None:
    return _given(texts, "PermissionsBoundaryPolicyInputList")[0] if texts else None


def _resource_policy(text: str | None) -> SourcePolicy | None:
    return None if text is None else SourcePolicy("ResourcePolicy", "resource", text)


def _now(context: QueryContext) -> dict[str, tuple[str, ...]]:
    return {
        "aws:currenttime": (context.now.isoformat(),),
        "aws:epochtime": (str(int(context.now.timestamp())),),
    }


def _of_holder(holder: Holder) -> dict[str, tuple[str, ...]]:
    """Return what every request of a user or role says of itself."""
    if isinstance(holder, UserGroup):
        return {}
    values: dict[str, tuple[str, ...]] = {f"aws:principaltag/{key}": (value,) for key, value in holder.tags.items()}
    values |= {"aws:principalarn": (holder_arn(holder),), "aws:principalaccount": (holder.account_id,)}
    if isinstance(holder, Role):
        return values | {"aws:principaltype": ("AssumedRole",)}
    return values | {
        "aws:username": (holder.name,),
        "aws:userid": (holder.unique_id,),
        "aws:principaltype": ("User",),
    }


def _values(entries: Entries) -> dict[str, tuple[str, ...]]:
    return {
        normalized_key(entry["ContextKeyName"]): tuple(entry.get("ContextKeyValues", ()))
        for entry in entries
        if "ContextKeyName" in entry
    }


def _results(
    simulation: Simulation,
    actions: Sequence[str],
    resources: Sequence[str],
    *,
    marker: str | None,
    max_items: int | None,
) -> dict[str, Any]:
    asked = [(action, resource) for action in actions for resource in resources or ("*",)]
    if len(asked) > RESULTS_MAX:
        raise errors.InvalidInput(f"A simulation is of {RESULTS_MAX} actions on resources at most.")
    numbered = [(f"{number:06}", *pair) for number, pair in enumerate(asked)]
    page, more = page_of_list(numbered, key=lambda one: one[0], marker=marker, max_items=max_items)
    results = _checked(lambda: [_result(simulation, action, resource) for _, action, resource in page])
    return {"EvaluationResults": results, **more}


def _checked(compute: Any) -> Any:
    try:
        return compute()
    except PolicyError as problem:
        raise errors.InvalidInput(f"Invalid policy: {problem}") from None


def _result(simulation: Simulation, action: str, resource: str) -> dict[str, Any]:
    decision = simulation.decide(action, resource)
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": _OUTCOMES[decision.outcome],
        "MatchedStatements": [_statement(simulation, match) for match in _telling(decision)],
        "MissingContextValues": simulation.missing_keys(action, resource),
    }
    if simulation.boundary is not None:
        is_within = any(match.source == "permissions boundary" and match.is_allow for match in decision.trace)
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": is_within}
    return result


def _telling(decision: Decision) -> list[Match]:
    """Return the statements that the decision rests on: the denials, or else what allows."""
    denials = [match for match in decision.trace if not match.is_allow]
    return denials or list(decision.trace)


def _statement(simulation: Simulation, match: Match) -> dict[str, Any]:
    sources = [*simulation.identity, simulation.boundary, simulation.resource_policy]
    source = next((one for one in sources if one is not None and one.name == match.origin), None)
    if source is None:
        return {"SourcePolicyId": match.origin, "SourcePolicyType": "none"}
    members: dict[str, Any] = {"SourcePolicyId": source.name, "SourcePolicyType": source.kind}
    place = statement_positions(source.text).get(match.name)
    if place is not None:
        (line, column), (last_line, last_column) = place
        members["StartPosition"] = {"Line": line, "Column": column}
        members["EndPosition"] = {"Line": last_line, "Column": last_column}
    return members
