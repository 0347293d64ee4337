"""The certificate authority of one cluster, which the API server, etcd and their clients trust."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A sandbox that outlives its certificates has to be created again.
_LIFETIME = datetime.timedelta(days=365)


class Authority:
    """Issues certificates into a folder. Private keys have mode 0600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("sandbox")
        builder = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self._write("ca", self._certificate, None)

    def issue(self, file: str, user: str, group: str | None = None, *, server: bool = False) -> None:
        """Issue ``<file>.crt`` and ``<file>.key``.

        The certificate authenticates a client as ``user`` in ``group``. With ``server``, it also
        authenticates a server on 127.0.0.1 and localhost.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if server else [])]
        builder = (
            self._builder(_name(user, group), key)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        )
        if server:
            addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
            builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        self._write(file, builder.sign(self._key, hashes.SHA256()), key)

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + _LIFETIME)
        )

    def _write(self, file: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey | None) -> None:
        (self.folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        if key is not None:
            write_key(self.folder / f"{file}.key", key)


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a private key with mode 0600."""
    # The only format that the API server accepts for a service account key.
    encoding_format = serialization.PrivateFormat.TraditionalOpenSSL
    encoded = key.private_bytes(serialization.Encoding.PEM, encoding_format, serialization.NoEncryption())
    path.touch(mode=0o600)
    path.write_bytes(encoded)


def _name(user: str, group: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
    if group:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)
