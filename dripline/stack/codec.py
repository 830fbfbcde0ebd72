"""Encryption of what Temporal is given: AES-256-GCM, with the key's name beside it, so that keys can be changed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    PayloadCodec,
)

ENCODING = b"binary/encrypted"
CIPHER = b"AES-256-GCM"
_NONCE = 12  # bytes
_SETTING = "DRIPLINE_TEMPORAL_CODEC_KEYS"


class Locked(Exception):
    """A payload that cannot be read. Says which key it wants."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Temporal holds what was encrypted with the key `{key}`, which is not in {_SETTING} or is another there:"
            " add it behind the newest"
        )


class Encryption(PayloadCodec):
    """Encrypts with the first of the keys (name to 32 bytes), decrypts with any; what is plain stays readable."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name.encode(): AESGCM(key) for name, key in keys.items()}
        self._first = next(iter(self._keys))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each as a payload of ciphertext alone."""
        return [self._locked(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each as it was. Raises Locked."""
        return [self._opened(payload) for payload in payloads]

    def _locked(self, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE)
        text = self._keys[self._first].encrypt(nonce, payload.SerializeToString(), self._first)
        return Payload(
            metadata={"encoding": ENCODING, "encryption-cipher": CIPHER, "encryption-key-id": self._first},
            data=nonce + text,
        )

    def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload  # from before the keys were set
        name = payload.metadata.get("encryption-key-id", b"")
        key = self._keys.get(name)
        if key is None:
            raise Locked(name.decode("utf-8", "replace"))
        try:
            plain = key.decrypt(payload.data[:_NONCE], payload.data[_NONCE:], name)
        except InvalidTag:
            raise Locked(name.decode("utf-8", "replace")) from None
        return Payload.FromString(plain)


class _Unreadable(EncodingPayloadConverter):
    """Says what is missing where there are no keys, but payloads that want one."""

    @property
    def encoding(self) -> str:
        """What it is asked to read."""
        return ENCODING.decode()

    def to_payload(self, value: Any) -> Payload | None:
        """Writes nothing: the others do."""
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Raises Locked."""
        raise Locked(payload.metadata.get("encryption-key-id", b"").decode("utf-8", "replace"))


class _Plain(CompositePayloadConverter):
    """The SDK's own converters, and one that says what is missing."""

    def __init__(self) -> None:
        super().__init__(*DefaultPayloadConverter.default_encoding_payload_converters, _Unreadable())


def converter(keys: Mapping[str, bytes]) -> DataConverter:
    """How every client of ours writes and reads; without keys plainly. Failures' messages are encrypted as well."""
    if not keys:
        return replace(DataConverter.default, payload_converter_class=_Plain)
    return replace(
        DataConverter.default,
        payload_codec=Encryption(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


__all__ = ["Encryption", "Locked", "converter"]
