"""Signatures as the two providers make them."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twilio.request_validator import RequestValidator

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


class Signer:
    """SendGrid's key pair and Twilio's token. The pair is made from a number, so that it outlives the sink."""

    def __init__(self, twilio_token: str, private_value: int = 20_260_105) -> None:
        self._private = ec.derive_private_key(private_value, ec.SECP256R1())
        self._validator = RequestValidator(twilio_token)

    @property
    def sendgrid_key(self) -> str:
        """The public key as SendGrid shows it: base64 of its DER form."""
        der = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def sendgrid(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """The headers of a signed event webhook; `at`: seconds since 1970, by default now."""
        timestamp = str(int(time.time() if at is None else at))
        signature = self._private.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            SIGNATURE: base64.b64encode(signature).decode(),
            TIMESTAMP: timestamp,
            "Content-Type": "application/json",
        }

    def twilio(self, url: str, form: Mapping[str, str]) -> dict[str, str]:
        """The headers of a signed status callback to `url`."""
        return {"X-Twilio-Signature": self._validator.compute_signature(url, dict(form))}
