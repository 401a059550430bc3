"""Sign pictures with Content Credentials under an authority made for the tests."""

from __future__ import annotations

import datetime
import functools
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
LIFETIME = datetime.timedelta(days=30)
CAMERA_CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@dataclass(frozen=True, kw_only=True, slots=True)
class Authority:
    """A signer and the anchor that vouches for it, all in PEM."""

    anchor: str
    chain: str
    key: str


@functools.cache
def authority() -> Authority:
    """Make an authority and a signer; the same for the whole session."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = _name("Test Root"), _name("Test Camera")
    root = _certificate(root_name, root_name, root_key, root_key, is_authority=True)
    leaf = _certificate(name, root_name, key, root_key, is_authority=False)
    private = key.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    anchor = root.public_bytes(PEM).decode()
    return Authority(
        anchor=anchor, chain=leaf.public_bytes(PEM).decode() + anchor, key=private.decode()
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Absah tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFETIME)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                **usage,
            ),
            critical=True,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not is_authority:
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def sign(
    content: bytes,
    media_type: str = "image/jpeg",
    *,
    source: str = CAMERA_CAPTURE,
    edits: Sequence[str] = (),
    ingredient: bytes = b"",
) -> bytes:
    """Sign a file as a camera or program would; `edits` are names of actions that followed."""
    actions: list[dict[str, Any]] = [{"action": "c2pa.created", "digitalSourceType": source}]
    actions += [{"action": edit} for edit in edits]
    manifest = {
        "claim_generator_info": [{"name": "Absah tests", "version": "1"}],
        "title": "picture",
        "format": media_type,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }
    made = authority()
    info = c2pa.C2paSignerInfo(
        c2pa.C2paSigningAlg.ES256, made.chain.encode(), made.key.encode(), None
    )
    signed = io.BytesIO()
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(manifest)) as builder:
        if ingredient:
            described = json.dumps({"title": "part", "relationship": "componentOf"})
            builder.add_ingredient(described, media_type, io.BytesIO(ingredient))
        builder.sign(signer, media_type, io.BytesIO(content), signed)
    return signed.getvalue()
