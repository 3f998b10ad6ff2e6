"""Users, groups, roles, policies and access keys of one's account. Every page and button is an operation of IAM."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accesscontrol.services.identities import console_name
from audit.draft import current
from console.audit_trail import note_problem
from console.identities import PAGE_SIZE, call, call_if_allowed, decider, is_offered_on, readable, told
from s3protocol.query.errors import QueryError

View = Callable[..., HttpResponse]

LISTS = {
    "users": ("ListUsers", "Users"),
    "groups": ("ListGroups", "Groups"),
    "roles": ("ListRoles", "Roles"),
    "policies": ("ListPolicies", "Policies"),
}
"""The lists: the operation that fills each, and the member that holds its rows, which is its title, too."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a button may ask for: the members that its form may hold, what is said afterwards, and where to go."""

    members: tuple[str, ...]
    done: str
    leads_to: str = ""  # a list; else the page of what the form names


def _deeds() -> dict[str, Deed]:
    deeds = {
        "CreateUser": Deed(("UserName", "PermissionsBoundary"), "The user is made."),
        "DeleteUser": Deed(("UserName",), "The user is deleted.", "users"),
        "CreateLoginProfile": Deed(("UserName", "Password"), "The user may sign in to the console."),
        "UpdateLoginProfile": Deed(("UserName", "Password"), "The password is changed."),
        "DeleteLoginProfile": Deed(("UserName",), "The user may not sign in to the console any more."),
        "CreateAccessKey": Deed(("UserName",), ""),
        "UpdateAccessKey": Deed(("UserName", "AccessKeyId", "Status"), "The access key is changed."),
        "DeleteAccessKey": Deed(("UserName", "AccessKeyId"), "The access key is deleted."),
        "CreateGroup": Deed(("GroupName",), "The group is made."),
        "DeleteGroup": Deed(("GroupName",), "The group is deleted.", "groups"),
        "AddUserToGroup": Deed(("GroupName", "UserName"), "The user is in the group."),
        "RemoveUserFromGroup": Deed(("GroupName", "UserName"), "The user is out of the group."),
        "CreateRole": Deed(("RoleName", "AssumeRolePolicyDocument", "Description"), "The role is made."),
        "DeleteRole": Deed(("RoleName",), "The role is deleted.", "roles"),
        "UpdateAssumeRolePolicy": Deed(("RoleName", "PolicyDocument"), "The trust policy is changed."),
        "CreatePolicy": Deed(("PolicyName", "PolicyDocument", "Description"), "The policy is made.", "policies"),
        "DeletePolicy": Deed(("PolicyArn",), "The policy is deleted.", "policies"),
        "CreatePolicyVersion": Deed(("PolicyArn", "PolicyDocument", "SetAsDefault"), "The policy has a new version."),
        "SetDefaultPolicyVersion": Deed(("PolicyArn", "VersionId"), "Another version counts now."),
        "DeletePolicyVersion": Deed(("PolicyArn", "VersionId"), "The version is deleted."),
    }
    for kind in ("User", "Group", "Role"):
        deeds |= {
            f"Attach{kind}Policy": Deed((f"{kind}Name", "PolicyArn"), "The policy is attached."),
            f"Detach{kind}Policy": Deed((f"{kind}Name", "PolicyArn"), "The policy is detached."),
            f"Put{kind}Policy": Deed((f"{kind}Name", "PolicyName", "PolicyDocument"), "The policy is set."),
            f"Delete{kind}Policy": Deed((f"{kind}Name", "PolicyName"), "The policy is deleted."),
        }
    return deeds


DEEDS = _deeds()
KEY_DEEDS = ("CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")
POLICY_DEEDS = ("DeletePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion")
HOLDER_DEEDS = {
    "User": ("DeleteUser", *KEY_DEEDS, "CreateLoginProfile", "UpdateLoginProfile", "DeleteLoginProfile"),
    "Group": ("DeleteGroup",),
    "Role": ("DeleteRole", "UpdateAssumeRolePolicy"),
}
"""What the page of a holder of policies offers to who may, beside what it offers with policies."""


def identity_page(view: View) -> View:
    """Make a view of the signed-in; what IAM refuses is a page that says so."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, **named: Any) -> HttpResponse:
        try:
            return view(request, **named)
        except QueryError as error:
            note_problem(error.code, told(error))
            context = {
                "problem": told(error),
                "is_refusal": error.status == 403,
                "written": _written_document(request) if error.status != 403 else {},
            }
            return _page(request, "problem", "", context, status=error.status)

    return login_required(guarded)


def _written_document(request: HttpRequest) -> dict[str, str]:
    """Return the members of a form that held a policy, so that it can be mended; nothing of other forms."""
    deed = DEEDS.get(request.resolver_match.kwargs.get("operation", "")) if request.resolver_match else None
    if request.method != "POST" or deed is None or not any("Document" in member for member in deed.members):
        return {}
    return {name: request.POST[name] for name in deed.members if name in request.POST}


def _page(
    request: HttpRequest, template: str, part: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    parts = [
        (name, title) for name, (operation, title) in LISTS.items() if name == part or is_offered_on(request, operation)
    ]
    shown = {"tab": "identities", "is_outside_buckets": True, "identity_parts": parts, "part": part, **context}
    return render(request, f"console/identities/{template}.html", shown, status=status)


@require_safe
@identity_page
def list_entities(request: HttpRequest, *, part: str) -> HttpResponse:
    """List users, groups, roles or policies."""
    operation, member = LISTS[part]
    wanted = {"Marker": request.GET.get("after", ""), "MaxItems": str(PAGE_SIZE)}
    if part == "policies":
        wanted["Scope"] = {"own": "Local", "built-in": "AWS"}.get(request.GET.get("scope", ""), "All")
    found = call(request, operation, **wanted)
    context = {"rows": found[member], "next_after": found.get("Marker"), "scope": request.GET.get("scope", "")}
    return _page(request, part, part, context)


@require_safe
@identity_page
def own_keys(request: HttpRequest) -> HttpResponse:
    """Show one's own access keys."""
    is_offered = decider(request, "ListAccessKeys")
    context = {
        "keys": _keys(request, ""),
        "are_keys_hidden": not is_offered("ListAccessKeys"),
        "own": call_if_allowed(request, "GetUser").get("User"),
        "may": {name: is_offered(name) for name in KEY_DEEDS},
    }
    return _page(request, "keys", "keys", context)


@require_safe
@identity_page
def show_user(request: HttpRequest, *, name: str) -> HttpResponse:
    """Show a user: keys, groups, policies."""
    user = call(request, "GetUser", UserName=name)["User"]
    context = {
        "entity": user,
        "keys": _keys(request, name),
        "groups": call_if_allowed(request, "ListGroupsForUser", UserName=name).get("Groups", []),
        "all_groups": [
            group
            for group in call_if_allowed(request, "ListGroups").get("Groups", [])
            if is_offered_on(request, "AddUserToGroup", group["Arn"])
        ],
        "are_keys_hidden": not is_offered_on(request, "ListAccessKeys", user["Arn"]),
        "has_password": _has_password(request, name),
        "sign_in_name": console_name(user["Arn"].split(":")[4], user["UserName"]),
        **_policies(request, "User", name),
    }
    return _page(request, "user", "users", context)


@require_safe
@identity_page
def show_group(request: HttpRequest, *, name: str) -> HttpResponse:
    """Show a group: who is in it, and its policies."""
    found = call(request, "GetGroup", GroupName=name)
    context = {
        "entity": found["Group"],
        "members": found["Users"],
        "all_users": call_if_allowed(request, "ListUsers").get("Users", []),
        "may_add": is_offered_on(request, "AddUserToGroup", found["Group"]["Arn"]),
        "may_remove": is_offered_on(request, "RemoveUserFromGroup", found["Group"]["Arn"]),
        **_policies(request, "Group", name),
    }
    return _page(request, "group", "groups", context)


@require_safe
@identity_page
def show_role(request: HttpRequest, *, name: str) -> HttpResponse:
    """Show a role: who may assume it, and its policies."""
    role = call(request, "GetRole", RoleName=name)["Role"]
    context = {
        "entity": role,
        "trust": readable(unquote(role["AssumeRolePolicyDocument"])),
        **_policies(request, "Role", name),
    }
    return _page(request, "role", "roles", context)


@require_safe
@identity_page
def show_policy(request: HttpRequest) -> HttpResponse:
    """Show a managed policy: its versions, and the text of one."""
    arn = request.GET.get("arn", "")
    policy = call(request, "GetPolicy", PolicyArn=arn)["Policy"]
    version = request.GET.get("version") or policy["DefaultVersionId"]
    is_offered = decider(request, "DeletePolicy", PolicyArn=arn)
    context = {
        "entity": policy,
        "versions": call(request, "ListPolicyVersions", PolicyArn=arn)["Versions"],
        "version": version,
        "document": readable(
            unquote(call(request, "GetPolicyVersion", PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
        ),
        "is_built_in": arn.startswith("arn:aws:iam::aws:"),
        "may": {name: is_offered(name) for name in POLICY_DEEDS},
        "holders": call_if_allowed(request, "ListEntitiesForPolicy", PolicyArn=arn),
    }
    return _page(request, "policy", "policies", context)


def _keys(request: HttpRequest, user_name: str) -> list[dict[str, Any]]:
    """Return a user's access keys, each with when it was last used."""
    keys = call_if_allowed(request, "ListAccessKeys", UserName=user_name).get("AccessKeyMetadata", [])
    for key in keys:
        used = call_if_allowed(request, "GetAccessKeyLastUsed", AccessKeyId=key["AccessKeyId"])
        key["LastUsed"] = used.get("AccessKeyLastUsed", {}).get("LastUsedDate")
    return list(keys)


def _has_password(request: HttpRequest, user_name: str) -> bool:
    try:
        return bool(call_if_allowed(request, "GetLoginProfile", UserName=user_name))
    except QueryError:  # NoSuchEntity: there is none
        return False


def _policies(request: HttpRequest, kind: str, name: str) -> dict[str, Any]:
    """Return what a holder's policies are, and which might be attached."""
    named = {f"{kind}Name": name}
    names = call_if_allowed(request, f"List{kind}Policies", **named).get("PolicyNames", [])
    inline = [
        (one, readable(unquote(found["PolicyDocument"])) if found else "")
        for one in names
        for found in [call_if_allowed(request, f"Get{kind}Policy", **named, PolicyName=one)]
    ]
    attached = call_if_allowed(request, f"ListAttached{kind}Policies", **named).get("AttachedPolicies", [])
    known = {one["PolicyArn"] for one in attached}
    is_offered = decider(request, f"Delete{kind}", **named)

    def is_offered_with(operation: str, policy_arn: str) -> bool:
        return is_offered(operation, stated={"iam:policyarn": policy_arn})

    offered = call_if_allowed(request, "ListPolicies", MaxItems="1000").get("Policies", [])
    return {
        "kind": kind,
        "inline": inline,
        "attached": [
            {**one, "may_detach": is_offered_with(f"Detach{kind}Policy", one["PolicyArn"])} for one in attached
        ],
        "offered": [
            one for one in offered if one["Arn"] not in known and is_offered_with(f"Attach{kind}Policy", one["Arn"])
        ],
        "may": {name: is_offered(name) for name in HOLDER_DEEDS[kind]},
        "may_put": is_offered(f"Put{kind}Policy"),
        "may_remove_policy": is_offered(f"Delete{kind}Policy"),
    }


@require_POST
@identity_page
def act(request: HttpRequest, *, operation: str) -> HttpResponse:
    """Do what a button asks for. A new access key is shown, this once."""
    deed = DEEDS.get(operation)
    if deed is None:
        raise Http404("There is no such operation here.")
    draft = current()
    if draft is not None:
        draft.operation = f"console:{operation}"
    members = {name: request.POST[name] for name in deed.members if name in request.POST}
    result = call(request, operation, **members)
    back = _address(deed, members, is_of_group=request.POST.get("page") == "group")
    if operation == "CreateAccessKey":
        return _page(request, "new_key", "users", {"key": result["AccessKey"], "back": back})
    messages.success(request, deed.done)
    return redirect(back)


def _address(deed: Deed, members: Mapping[str, str], *, is_of_group: bool) -> str:
    """Return where to go: to the page of what was made or changed (a user and a group: the one it came from), or to a list."""
    if deed.leads_to in LISTS:
        return reverse("console:identities", args=[deed.leads_to])
    for kind in ("Group", "User", "Role") if is_of_group else ("User", "Group", "Role"):
        if members.get(f"{kind}Name"):
            return reverse(f"console:identity-{kind.lower()}", args=[members[f"{kind}Name"].strip()])
    if "PolicyArn" in members:
        return reverse("console:identity-policy") + "?" + urlencode({"arn": members["PolicyArn"]})
    return reverse("console:identity-keys")
