"""Servers are spoken to through TLS where their authority is named, and to no impostor."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from integration.inference.drawing import draw_double, floats, soon
from integration.triton.asking import asking
from integration.triton.conftest import INSTANCE

from absah_ops.triton import server
from absah_sdk import InferenceFailed


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir()
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


async def test_only_a_server_of_the_named_authority_is_asked(tmp_path: Path) -> None:
    repository = tmp_path / "models"
    draw_double(repository, more=INSTANCE)
    certificate, key = make_certificate(tmp_path / "ours")
    other, _ = make_certificate(tmp_path / "theirs")
    flags = (
        "--grpc-use-ssl=true",
        f"--grpc-server-cert={certificate}",
        f"--grpc-server-key={key}",
    )
    with server.running(repository, flags=flags) as triton:
        async with asking(repository, triton, tls_ca_file=certificate) as inference:
            answer = await inference.infer("double", floats(1.0), deadline=soon())
            assert answer["y"].item() == 2.0
        for authority in (other, None):
            with pytest.raises(InferenceFailed, match="could be reached"):
                async with asking(repository, triton, tls_ca_file=authority, start_seconds=0.5):
                    pass
