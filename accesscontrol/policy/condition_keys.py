"""The condition keys of bucket policies, so that one with a misspelt one is refused and does not say less than it seems to.

Keys of AWS's own and of S3 are known; whatever else identity providers say of their users, under the provider's name, is
not for this list. A key that AWS knows and no request here ever has (an organization, an endpoint of a VPC) is absent.
Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

from typing import Final

_AWS = """
    AssumedRoot CalledVia CalledViaFirst CalledViaLast ChatbotSourceArn CurrentTime Ec2InstanceSourcePrivateIPv4
    Ec2InstanceSourceVpc EpochTime FederatedProvider MultiFactorAuthAge MultiFactorAuthPresent PrincipalAccount PrincipalArn
    PrincipalIsAWSService PrincipalOrgID PrincipalOrgPaths PrincipalServiceName PrincipalServiceNamesList PrincipalType
    Referer RequestedRegion ResourceAccount ResourceOrgID ResourceOrgPaths SecureTransport SourceAccount SourceArn
    SourceIdentity SourceIp SourceOrgID SourceOrgPaths SourceOwner SourceVpc SourceVpcArn SourceVpce TagKeys
    TokenIssueTime UserAgent UserId UserName ViaAWSService VpcSourceIp VpceAccount VpceOrgID VpceOrgPaths
"""
_S3 = """
    AccessGrantsInstanceArn AccessPointNetworkOrigin DataAccessPointAccount DataAccessPointArn ExistingJobOperation
    ExistingJobPriority InventoryAccessibleOptionalFields JobSuspendedCause LocationConstraint ObjectCreationOperation
    RequestJobOperation RequestJobPriority RequestObjectTagKeys ResourceAccount TlsVersion authType delimiter
    destinationRegion if-match if-none-match isReplicationPauseRequest max-keys object-lock-legal-hold object-lock-mode
    object-lock-remaining-retention-days object-lock-retain-until-date prefix signatureAge signatureversion versionid
    x-amz-acl x-amz-content-sha256 x-amz-copy-source x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp
    x-amz-grant-write x-amz-grant-write-acp x-amz-metadata-directive x-amz-object-ownership x-amz-server-side-encryption
    x-amz-server-side-encryption-aws-kms-key-id x-amz-server-side-encryption-customer-algorithm x-amz-storage-class
    x-amz-website-redirect-location
"""
_KNOWN: Final = frozenset(
    [f"aws:{name.lower()}" for name in _AWS.split()] + [f"s3:{name.lower()}" for name in _S3.split()]
)
_TAGGED: Final = frozenset(
    {
        "aws:principaltag",
        "aws:requesttag",
        "aws:resourcetag",
        "s3:accesspointtag",
        "s3:buckettag",
        "s3:existingobjecttag",
    }
    | {"s3:requestobjecttag"}
)
"""Keys that are followed by a slash and the key of a tag."""


def is_known(key: str) -> bool:
    """Say whether a normalized key is one that conditions of a bucket policy may ask for."""
    service, _, _ = key.partition(":")
    if service not in ("aws", "s3"):
        return True
    name, slash, tag = key.partition("/")
    return (name in _TAGGED and bool(tag)) if slash else key in _KNOWN
