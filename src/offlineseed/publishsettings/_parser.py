"""
Reading publish settings files.

In schema 1.0 the certificate is the profile's, in 2.0 it is each subscription's.
"""

from __future__ import annotations

import urllib.parse
from typing import final
from xml.parsers import expat

import attrs

from offlineseed.clouds import cloud_of_url
from offlineseed.errors import PublishSettingsError
from offlineseed.findings import Finding, Severity
from offlineseed.publishsettings._certificate import (
    KeyDerivation,
    ManagementCertificate,
    read_certificate,
)
from offlineseed.publishsettings._models import PublishedSubscription, PublishSettings
from offlineseed.settings import check_subscription_id

__all__ = ["MAXIMUM_PUBLISH_SETTINGS_BYTES", "parse_publish_settings"]

MAXIMUM_PUBLISH_SETTINGS_BYTES = 1024 * 1024
"""A longer file is refused unless the caller says otherwise; real ones have some 5 KB."""

_METHOD = "AzureServiceManagementAPI"
_MAXIMUM_DEPTH = 16
_SHOWN_CHARACTERS = 40
_SHOWN_FINDINGS = 20
_WEB_APP = (
    "this is the publish profile of a web app, not of a subscription: download the subscription's "
    "publish settings file"
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@final
@attrs.define
class _Profile:
    attributes: dict[str, str] = attrs.field(repr=False)
    subscriptions: list[dict[str, str]] = attrs.field(factory=list, repr=False)


def parse_publish_settings(
    data: bytes | bytearray | memoryview, *, max_bytes: int = MAXIMUM_PUBLISH_SETTINGS_BYTES
) -> PublishSettings:
    """
    Read a publish settings file.

    Raises:
        PublishSettingsError: not such a file, a DOCTYPE, longer than `max_bytes`, or anything in it
            can't be used. `findings` has everything that is wrong, the message the first twenty.
            Neither shows key material.
    """
    reader = _Reader()
    root, profiles = _read_xml(bytes(data) if len(data) <= max_bytes else None, max_bytes)
    if root != "PublishData":
        if root.lower() == "publishdata":
            reader.found("web-app-profile", "PublishData", _WEB_APP)
        else:
            reader.found(
                "not-publish-settings",
                "PublishData",
                f"the document is a {_shown(root)}: give the file that the portal offers",
            )
    elif not profiles:
        reader.found("profile-missing", "PublishData", "the file has no PublishProfile")
    else:
        for number, profile in enumerate(profiles, 1):
            reader.read_profile(profile, f"PublishProfile[{number}]")
    errors = [f for f in reader.findings if f.severity is Severity.ERROR]
    if errors:
        raise _error(reader.findings, errors)
    return PublishSettings(subscriptions=reader.subscriptions, findings=reader.findings)


@final
class _Reader:
    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.subscriptions: list[PublishedSubscription] = []
        self._certificates: dict[str, ManagementCertificate | None] = {}
        self._ids: set[str] = set()
        self._derivation = KeyDerivation()

    def found(self, code: str, subject: str, message: str) -> None:
        self.findings.append(Finding(code=code, subject=subject, message=message))

    def warned(self, code: str, subject: str, message: str) -> None:
        self.findings.append(
            Finding(code=code, subject=subject, message=message, severity=Severity.WARNING)
        )

    def read_profile(self, profile: _Profile, subject: str) -> None:
        attributes = profile.attributes
        method = attributes.get("PublishMethod")
        if method is not None and method != _METHOD:
            self.found(
                "publish-method-unknown",
                subject,
                f"the publish method is {_shown(method)}, not {_METHOD}: {_WEB_APP}",
            )
            return
        version = attributes.get("SchemaVersion", "1.0").strip()
        if version not in ("1.0", "2.0"):
            self.warned(
                "schema-version-unknown",
                subject,
                f"the schema version {_shown(version)} is not known, it is read as 2.0",
            )
        if not profile.subscriptions:
            self.found("subscription-missing", subject, "the profile has no Subscription")
        for number, subscription in enumerate(profile.subscriptions, 1):
            self._read_subscription(
                attributes, subscription, version, f"{subject}/Subscription[{number}]"
            )

    def _read_subscription(
        self, profile: dict[str, str], attributes: dict[str, str], version: str, subject: str
    ) -> None:
        identity = self._id(attributes.get("Id"), subject)
        url = self._url(attributes.get("ServiceManagementUrl") or profile.get("Url"), subject)
        certificate = self._certificate(
            attributes.get("ManagementCertificate") or profile.get("ManagementCertificate"), subject
        )
        if identity is None or url is None or certificate is None:
            return
        self.subscriptions.append(
            PublishedSubscription(
                id=identity,
                name=attributes.get("Name", ""),
                service_management_url=url,
                cloud=cloud_of_url(url),
                certificate=certificate,
                schema_version=version,
            )
        )

    def _id(self, text: str | None, subject: str) -> str | None:
        if text is None:
            self.found("subscription-id-missing", subject, "the Subscription has no Id")
            return None
        identity = text.strip()
        if check_subscription_id(identity) is not None:
            self.found(
                "subscription-id-invalid",
                subject,
                f"the Id is {_shown(text)}: a subscription id is a GUID",
            )
            return None
        if identity.lower() in self._ids:
            self.warned(
                "subscription-twice", subject, f"the subscription {identity} is there twice"
            )
        self._ids.add(identity.lower())
        return identity

    def _url(self, text: str | None, subject: str) -> str | None:
        if not text or not text.strip():
            self.found("url-missing", subject, "neither the Subscription nor its profile has a URL")
            return None
        url = text.strip().rstrip("/")
        try:
            parts = urllib.parse.urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urllib.parse.urlsplit("")
        if (
            not host
            or port == 0
            or parts.username is not None
            or parts.query
            or parts.fragment
            or not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
        ):
            self.found(
                "url-invalid",
                subject,
                "the service management URL is no https URL of a host: download the file again",
            )
            return None
        if cloud_of_url(url) is None:
            self.warned(
                "cloud-unknown",
                subject,
                f"the host {_shown(host)} is of no known cloud: give its endpoints yourself",
            )
        return url

    def _certificate(self, text: str | None, subject: str) -> ManagementCertificate | None:
        if not text or not text.strip():
            self.found(
                "certificate-missing",
                subject,
                "neither the Subscription nor its profile has a ManagementCertificate",
            )
            return None
        if text not in self._certificates:
            self._certificates[text] = read_certificate(
                text,
                lambda code, message: self.found(code, subject, message),
                lambda code, message: self.warned(code, subject, message),
                self._derivation,
            )
        return self._certificates[text]


def _read_xml(data: bytes | None, max_bytes: int) -> tuple[str, list[_Profile]]:
    if data is None:
        raise PublishSettingsError(
            f"the publish settings file is longer than {max_bytes} bytes: it is another file"
        )
    names: list[str] = []
    root: list[str] = []
    profiles: list[_Profile] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        names.append(name)
        if len(names) == 1:
            root.append(name)
        elif len(names) > _MAXIMUM_DEPTH:
            raise PublishSettingsError(
                f"the publish settings file is nested deeper than {_MAXIMUM_DEPTH} elements"
            )
        elif names[1:] == ["PublishProfile"]:
            profiles.append(_Profile(attributes))
        elif names[1:] == ["PublishProfile", "Subscription"]:
            profiles[-1].subscriptions.append(attributes)

    def end(_name: str) -> None:
        names.pop()

    def doctype(*_arguments: object) -> None:
        raise PublishSettingsError(
            "the publish settings file has a DOCTYPE, which is refused: it has no use here"
        )

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, "not well-formed")
        raise PublishSettingsError(
            f"the publish settings file is no well-formed XML: {reason} in line {error.lineno}, "
            f"column {error.offset}",
            context=f"line {error.lineno}",
        ) from error
    except PublishSettingsError:
        raise
    except (LookupError, ValueError) as error:  # an encoding that Python or expat lacks
        raise PublishSettingsError(
            "the publish settings file is in an encoding that can't be read: it is UTF-8"
        ) from error
    return root[0], profiles


def _error(findings: list[Finding], errors: list[Finding]) -> PublishSettingsError:
    shown = "; ".join(str(finding) for finding in errors[:_SHOWN_FINDINGS])
    more = len(errors) - _SHOWN_FINDINGS
    return PublishSettingsError(
        f"the publish settings file can't be used: {shown}"
        + (f"; and {more} more" if more > 0 else ""),
        context=errors[0].subject,
        findings=findings,
    )


def _shown(text: str) -> str:
    # Where a file is broken, a certificate may stand in any place.
    return repr(text) if len(text) <= _SHOWN_CHARACTERS else f"a text of {len(text)} characters"
