import base64
import random
from xml.sax.saxutils import quoteattr

import pytest

from offlineseed.clouds import CHINA, PUBLIC, US_GOVERNMENT
from offlineseed.errors import PublishSettingsError
from offlineseed.publishsettings import parse_publish_settings

METHOD = 'PublishMethod="AzureServiceManagementAPI"'
ID = "db1ab6f0-4769-4b27-930e-01e2ef9c123c"
OTHER_ID = "6f1f1a3e-8d39-4a2b-b1d0-1a0f6a4f6f11"
URL = "https://management.core.windows.net"


def version_1(certificate, *ids, url=URL + "/") -> str:
    subscriptions = "".join(f'<Subscription Id="{i}" Name="Account" />' for i in ids or (ID,))
    return (
        f"<PublishProfile {METHOD} Url={quoteattr(url)} "
        f"ManagementCertificate={quoteattr(certificate)}>{subscriptions}</PublishProfile>"
    )


def subscription_2(certificate, identity=ID, *, url=URL, name="Pay-As-You-Go") -> str:
    return (
        f"<Subscription ServiceManagementUrl={quoteattr(url)} Id={quoteattr(identity)} "
        f"Name={quoteattr(name)} ManagementCertificate={quoteattr(certificate)} />"
    )


def version_2(*subscriptions, version="2.0") -> str:
    return (
        f'<PublishProfile SchemaVersion="{version}" {METHOD}>'
        f"{''.join(subscriptions)}</PublishProfile>"
    )


def document(*profiles, declaration='<?xml version="1.0" encoding="utf-8"?>\n') -> bytes:
    return f"{declaration}<PublishData>{''.join(profiles)}</PublishData>".encode()


def refused(data) -> PublishSettingsError:
    with pytest.raises(PublishSettingsError) as caught:
        parse_publish_settings(data)
    return caught.value


def codes(error) -> list[str]:
    return [finding.code for finding in error.findings]


def test_parse_schema_1_takes_certificate_and_url_of_the_profile(bundles):
    settings = parse_publish_settings(document(version_1(bundles.base64(), ID, OTHER_ID)))
    first, second = settings.subscriptions
    assert (first.id, first.name, first.schema_version) == (ID, "Account", "1.0")
    assert first.service_management_url == URL
    assert first.cloud is PUBLIC
    assert second.id == OTHER_ID
    assert first.certificate is second.certificate
    assert settings.findings == ()


def test_parse_schema_2_takes_them_of_each_subscription(bundles):
    other = bundles.base64(bundles.packed(key=bundles.other_key))
    settings = parse_publish_settings(
        document(
            version_2(
                subscription_2(bundles.base64()),
                subscription_2(other, OTHER_ID, url="https://management.core.chinacloudapi.cn"),
            )
        )
    )
    first, second = settings.subscriptions
    assert first.schema_version == second.schema_version == "2.0"
    assert first.name == "Pay-As-You-Go"
    assert (first.cloud, second.cloud) == (PUBLIC, CHINA)
    assert first.certificate.thumbprint != second.certificate.thumbprint


def test_parse_schema_2_falls_back_to_the_profile(bundles):
    profile = (
        f'<PublishProfile SchemaVersion="2.0" {METHOD} Url="{URL}" '
        f'ManagementCertificate="{bundles.base64()}"><Subscription Id="{ID}"/></PublishProfile>'
    )
    (subscription,) = parse_publish_settings(document(profile)).subscriptions
    assert subscription.service_management_url == URL
    assert subscription.name == ""


def test_parse_several_profiles_gives_every_subscription(bundles):
    settings = parse_publish_settings(
        document(
            version_1(bundles.base64(), ID),
            version_2(
                subscription_2(bundles.base64(), OTHER_ID),
                subscription_2(bundles.base64(), ID.replace("d", "e", 1)),
            ),
        )
    )
    assert [s.schema_version for s in settings.subscriptions] == ["1.0", "2.0", "2.0"]


@pytest.mark.parametrize(
    ("url", "cloud"),
    [
        ("https://management.core.windows.net/", PUBLIC),
        ("https://MANAGEMENT.core.windows.net:443", PUBLIC),
        ("https://management.core.usgovcloudapi.net", US_GOVERNMENT),
        ("https://management.core.chinacloudapi.cn/", CHINA),
    ],
)
def test_parse_cloud_is_recognised_by_its_url(bundles, url, cloud):
    settings = parse_publish_settings(document(version_1(bundles.base64(), url=url)))
    assert settings.subscriptions[0].cloud is cloud
    assert settings.findings == ()


def test_parse_private_cloud_is_taken_with_a_warning(bundles):
    settings = parse_publish_settings(
        document(version_1(bundles.base64(), url="https://management.contoso.example:8443/api/"))
    )
    assert settings.subscriptions[0].cloud is None
    assert (
        settings.subscriptions[0].service_management_url
        == "https://management.contoso.example:8443/api"
    )
    assert [f.code for f in settings.findings] == ["cloud-unknown"]


@pytest.mark.parametrize(
    "url",
    [
        "http://management.core.windows.net",
        "management.core.windows.net",
        "https://",
        "https://user:password@management.core.windows.net",
        "https://management.core.windows.net/?sig=secret",
        "https://[::1",
        "https://host:99999",
        "file:///etc/passwd",
    ],
)
def test_parse_url_that_is_no_endpoint_is_refused(bundles, url):
    error = refused(document(version_1(bundles.base64(), url=url)))
    assert codes(error) == ["url-invalid"]
    assert "password" not in str(error)
    assert "secret" not in str(error)


def test_parse_loopback_url_may_be_plain_for_emulators(bundles):
    settings = parse_publish_settings(
        document(version_1(bundles.base64(), url="http://127.0.0.1:8080"))
    )
    assert settings.subscriptions[0].service_management_url == "http://127.0.0.1:8080"


def test_parse_base64_in_lines_is_read(bundles):
    certificate = bundles.base64()
    lines = "&#10;  ".join(certificate[i : i + 64] for i in range(0, len(certificate), 64))
    data = document(version_1("X")).replace(b'"X"', b'"' + lines.encode() + b'"')
    assert parse_publish_settings(data).subscriptions[0].certificate.subject


def test_parse_utf_16_and_byte_order_mark_are_read(bundles):
    text = document(version_1(bundles.base64()), declaration="").decode()
    for data in (
        text.encode("utf-8-sig"),
        ('<?xml version="1.0" encoding="utf-16"?>' + text).encode("utf-16"),
    ):
        assert parse_publish_settings(data).subscriptions[0].id == ID


def test_parse_unknown_schema_version_is_read_with_a_warning(bundles):
    settings = parse_publish_settings(
        document(version_2(subscription_2(bundles.base64()), version="3.0"))
    )
    assert settings.subscriptions[0].schema_version == "3.0"
    assert [f.code for f in settings.findings] == ["schema-version-unknown"]


def test_parse_subscription_twice_is_read_with_a_warning(bundles):
    settings = parse_publish_settings(document(version_1(bundles.base64(), ID, ID.upper())))
    assert [f.code for f in settings.findings] == ["subscription-twice"]
    assert settings.subscription().id == ID


def test_parse_everything_wrong_is_named_at_once(bundles):
    error = refused(
        document(
            version_2(
                "<Subscription />",
                subscription_2("no base64!", "not-a-guid", url="ftp://x"),
                subscription_2(bundles.base64(b"junk"), OTHER_ID),
            ),
            f"<PublishProfile {METHOD} />",
            '<PublishProfile PublishMethod="MSDeploy" publishUrl="x:443" />',
        )
    )
    assert [(f.subject, f.code) for f in error.findings] == [
        ("PublishProfile[1]/Subscription[1]", "subscription-id-missing"),
        ("PublishProfile[1]/Subscription[1]", "url-missing"),
        ("PublishProfile[1]/Subscription[1]", "certificate-missing"),
        ("PublishProfile[1]/Subscription[2]", "subscription-id-invalid"),
        ("PublishProfile[1]/Subscription[2]", "url-invalid"),
        ("PublishProfile[1]/Subscription[2]", "certificate-not-base64"),
        ("PublishProfile[1]/Subscription[3]", "certificate-not-pkcs12"),
        ("PublishProfile[2]", "subscription-missing"),
        ("PublishProfile[3]", "publish-method-unknown"),
    ]
    for finding in error.findings:
        assert finding.message in str(error)


def test_parse_thousands_of_faults_make_a_short_message():
    error = refused(document(version_2("<Subscription />" * 5000)))
    assert len(error.findings) == 15_000
    assert len(str(error)) < 5000
    assert "and 14980 more" in str(error)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<PublishData/>", "profile-missing"),
        (
            b"<publishData><publishProfile publishMethod='MSDeploy'/></publishData>",
            "web-app-profile",
        ),
        (b"<html/>", "not-publish-settings"),
    ],
)
def test_parse_another_document_is_refused(data, code):
    assert codes(refused(data)) == [code]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"PK\3\4 a zip",
        b"\0" * 1000,
        b"<PublishData>",
        b'<?xml version="1.0" encoding="nonsense"?><PublishData/>',
        b"<PublishData>&entity;</PublishData>",
        b"<a>" * 100_000,
        b'<PublishData a="1" a="2"/>',
    ],
)
def test_parse_junk_is_refused(data):
    refused(data)


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE PublishData [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        b'<!DOCTYPE PublishData [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE PublishData SYSTEM "http://example.invalid/x.dtd">',
        b"<!DOCTYPE PublishData>",
    ],
    ids=["billion laughs", "external entity", "external subset", "empty"],
)
def test_parse_doctype_is_refused(bundles, doctype):
    data = document(version_1(bundles.base64()), declaration="")
    assert "DOCTYPE" in str(refused(doctype + data))


def test_parse_long_file_is_refused_without_reading_it():
    junk = bytes(100 * 1024 * 1024)
    assert "longer than 1048576 bytes" in str(refused(junk))
    with pytest.raises(PublishSettingsError, match="longer than 10 bytes"):
        parse_publish_settings(b"<PublishData/>", max_bytes=10)


def test_parse_errors_never_show_the_certificate_wherever_it_stands(bundles):
    certificate = bundles.base64()
    fragments = [certificate[i : i + 24] for i in range(0, len(certificate), 24)]
    for data in (
        document(f'<PublishProfile {METHOD}><Subscription Id="{certificate}"/></PublishProfile>'),
        document(f'<PublishProfile PublishMethod="{certificate}"/>'),
        document(version_1(certificate, url=certificate)),
        document(version_1(certificate + "!")),
        document(version_1(certificate[:-400])),
        document(version_2(subscription_2(certificate, "x"), version=certificate)),
        f"<A{certificate.translate(str.maketrans('+/=', '___'))}/>".encode(),
        f"<PublishData a='{certificate}'".encode(),
    ):
        error = refused(data)
        shown = str(error) + repr(error) + repr(error.findings)
        assert not any(fragment in shown for fragment in fragments)


def test_parse_mutated_files_raise_only_our_error(bundles):
    rng = random.Random(5)
    original = document(version_1(bundles.base64()))
    pkcs12 = bundles.encrypted(b"x")
    for _ in range(150):
        data = bytearray(original)
        for _ in range(rng.randint(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        bundle = bytearray(pkcs12)
        for _ in range(rng.randint(1, 5)):
            bundle[rng.randrange(len(bundle))] = rng.randrange(256)
        for candidate in (
            bytes(data[: rng.randrange(len(data) + 1)]),
            bytes(data),
            document(version_1(base64.b64encode(bundle).decode())),
        ):
            try:
                settings = parse_publish_settings(candidate)
            except PublishSettingsError:
                continue
            assert settings.subscriptions
