"""The AWS CLI's `iam` and `sts`, against the endpoint of S3."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.clients.tools import Tool, find_program
from tests.live.system import LiveSystem


@pytest.fixture
def aws(system: LiveSystem, aws_environment: dict[str, str], home: Path) -> Tool:
    """The CLI."""
    program = find_program("aws", "pip install awscli")
    return Tool(program, aws_environment, home, ("--endpoint-url", system.endpoint, "--output", "json"))


def test_a_user_gets_a_policy_and_a_session(aws: Tool, home: Path) -> None:
    def answer(*arguments: str) -> dict[str, Any]:
        return dict(json.loads(aws.run(*arguments)))

    name = f"cli-{secrets.token_hex(4)}"
    arn = answer("iam", "create-user", "--user-name", name, "--path", "/cli/")["User"]["Arn"]
    document = home / "policy.json"
    document.write_text('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}')
    aws.run(
        "iam", "put-user-policy", "--user-name", name, "--policy-name", "own", "--policy-document", f"file://{document}"
    )
    shown = answer("iam", "get-user-policy", "--user-name", name, "--policy-name", "own")
    assert shown["PolicyDocument"] == json.loads(document.read_text())
    simulated = answer(
        "iam", "simulate-principal-policy", "--policy-source-arn", arn, "--action-names", "s3:GetObject", "iam:GetUser"
    )
    decisions = [one["EvalDecision"] for one in simulated["EvaluationResults"]]
    assert decisions == ["allowed", "implicitDeny"]
    key = answer("iam", "create-access-key", "--user-name", name)["AccessKey"]
    environment = {
        **aws.environment,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    theirs = Tool(aws.program, environment, home, aws.options)
    assert json.loads(theirs.run("sts", "get-caller-identity"))["Arn"] == arn
    session = json.loads(theirs.run("sts", "get-session-token"))["Credentials"]
    assert session["AccessKeyId"].startswith("ASIA")
    aws.run("iam", "list-users", "--path-prefix", "/cli/", "--page-size", "1")
    aws.run("iam", "delete-user", "--user-name", name, code=254 if _is_second_version(aws) else 255)


def _is_second_version(aws: Tool) -> bool:
    """Say whether it is version 2 of the CLI, whose errors end with another code."""
    return "aws-cli/2" in aws.run("--version")
