"""The certificates of a cluster: who they authenticate, and who can read their keys."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.certificates import Authority, write_key


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


def read(authority: Authority, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((authority.folder / f"{name}.crt").read_bytes())


def test_a_client_certificate_has_a_user_and_a_group(authority: Authority) -> None:
    authority.issue("admin", "sandbox-admin", "system:masters")
    certificate = read(authority, "admin")
    (user,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    (group,) = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert (user.value, group.value) == ("sandbox-admin", "system:masters")
    certificate.verify_directly_issued_by(read(authority, "ca"))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_server_certificate_is_valid_for_loopback(authority: Authority) -> None:
    authority.issue("apiserver", "sandbox-apiserver", server=True)
    certificate = read(authority, "apiserver")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in usage


def test_private_keys_are_readable_by_their_owner_only(authority: Authority) -> None:
    authority.issue("admin", "sandbox-admin")
    write_key(authority.folder / "service-account.key", ec.generate_private_key(ec.SECP256R1()))
    keys = sorted(authority.folder.glob("*.key"))
    assert [key.name for key in keys] == ["admin.key", "service-account.key"]
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert (authority.folder / "service-account.key").read_text().startswith("-----BEGIN EC PRIVATE KEY-----")
