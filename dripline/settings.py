"""Settings of the installation, read once at start from the environment (or `.env`); see docs/settings.md."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting, its meaning and its default. Temporal's own are read by `temporalio.envconfig`."""

    model_config = SettingsConfigDict(
        env_prefix="DRIPLINE_",
        env_file=".env",
        env_nested_delimiter="__",
        extra="ignore",
        hide_input_in_errors=True,  # what is wrong may be a secret
    )

    workspace: Path = Field(Path("."), description="Folder with dripline.yaml, journeys/ and templates/.")
    data: Path = Field(Path(".dripline"), description="Folder of the embedded parts: store, Temporal's file.")
    database_url: str | None = Field(
        None,
        description="SQLAlchemy URL: sqlite:///… or postgresql+psycopg://…; default: SQLite under `data`.",
    )
    secret: SecretStr | None = Field(
        None,
        description="Key of signed links and address hashes; made once and kept in the store if not set.",
    )
    environment: Literal["development", "production"] = Field(
        "development", description="Outside production only addresses on the workspace's list are mailed."
    )
    trying: bool = Field(
        False,
        description="Set by `dripline try` for its throw-away installation, where Dripline's own events may be said;"
        " in production it does nothing.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important log lines that are written."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`auto`: lines for people on a terminal, JSON otherwise."
    )

    host: str = Field("127.0.0.1", description="Address that the web process binds.")
    port: int = Field(8080, ge=1, le=65_535, description="Port that the web process binds.")
    api_key: SecretStr | None = Field(
        None,
        description="A key that may do everything, beside those of `dripline key`, which are better.",
    )
    key_per_minute: int = Field(
        6_000, ge=1, description="Requests a minute that an API key is good for, where it says nothing else."
    )
    public_url: str = Field(
        "http://127.0.0.1:8080", description="Where providers and leads reach the web process."
    )
    tracking_url: str | None = Field(
        None,
        description="Where tracked links and pixels lead, another name of the web process; default: `public_url`.",
    )
    link_days: float = Field(
        180.0,
        gt=0,
        description="Days for which links in messages work that answer or confirm; those that unsubscribe always do.",
    )
    forms_per_minute: int = Field(
        10, ge=1, description="Submissions of one web form that one visitor may send a minute."
    )

    sendgrid_api_key: SecretStr | None = Field(None, description="Set: e-mail leaves by SendGrid.")
    sendgrid_base_url: str = Field("https://api.sendgrid.com", description="SendGrid's API.")
    sendgrid_webhook_key: str | None = Field(
        None, description="Public key (base64) of SendGrid's event webhook."
    )
    sendgrid_inbound_key: str | None = Field(
        None, description="Public key (base64) of the security policy of SendGrid's Inbound Parse."
    )
    sendgrid_inbound_token: SecretStr | None = Field(
        None,
        description="Instead of that key: a secret at the end of the address that Inbound Parse posts to.",
    )
    reply_domain: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{1,180}$",
        description="Domain whose mail Inbound Parse hands to us: where replies to messages go.",
    )
    twilio_account_sid: str | None = Field(None, description="Set with the token: SMS leave by Twilio.")
    twilio_auth_token: SecretStr | None = Field(
        None, description="Twilio's token; also verifies its webhooks."
    )
    twilio_base_url: str = Field("https://api.twilio.com", description="Twilio's API.")

    webhook_secret: SecretStr | None = Field(
        None,
        description="Key (`whsec_…`) that outgoing webhooks are signed with, as Standard Webhooks says; or several.",
    )
    secrets: dict[str, SecretStr] = Field(
        {},
        description="Secrets for headers of webhooks: `DRIPLINE_SECRETS__CRM_TOKEN` is `secret.crm_token`.",
    )

    http_timeout: float = Field(10.0, gt=0, description="Seconds for one call of a provider or a webhook.")
    lease: float = Field(
        30.0, lt=45, description="Seconds that a send may own its ledger row: above http_timeout, below 45."
    )
    uncertain_after: float = Field(900.0, gt=0, description="Seconds in which an uncertain send may settle.")
    uncertain_marketing: Literal["hold", "send-again"] = Field(
        "hold", description="What then becomes of an uncertain marketing message."
    )
    uncertain_transactional: Literal["hold", "send-again"] = Field(
        "send-again", description="What then becomes of an uncertain transactional message."
    )
    sweep_every: float = Field(300.0, gt=0, description="Seconds between sweeps.")
    overdue_after: float = Field(120.0, gt=0, description="Seconds past its time after which a run is swept.")
    stalled_after: float = Field(
        300.0, gt=0, description="Seconds without progress after which a send is swept."
    )

    temporal_codec_keys: SecretStr | None = Field(
        None,
        description="Keys for what Temporal gets, `NAME:KEY,…` (32 bytes in base64): the first encrypts, all decrypt.",
    )

    @field_validator("webhook_secret")
    @classmethod
    def _readable_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        for number, secret in enumerate(
            value.get_secret_value().replace(",", " ").split() if value else (), 1
        ):
            try:
                key = base64.b64decode(secret.removeprefix("whsec_") + "==")
            except binascii.Error:
                key = b""
            if not 24 <= len(key) <= 64:
                raise ValueError(f"secret {number} is not 24 to 64 bytes in base64 behind `whsec_`")
        return value

    @field_validator("temporal_codec_keys")
    @classmethod
    def _readable_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _read_keys(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _a_send_ends_before_its_lease(self) -> Settings:
        """Else another attempt could begin while the first is still under way, and double it."""
        if self.lease < self.http_timeout + 2:
            raise ValueError("lease must be at least 2 seconds longer than http_timeout")
        return self

    def tracking_at(self) -> str:
        """Where tracked links and pixels lead, without a slash at the end."""
        return (self.tracking_url or self.public_url).rstrip("/")

    def store_url(self) -> str:
        """The database, by default a file under `data`."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'dripline.db'}"

    def codec_keys(self) -> dict[str, bytes]:
        """The keys for what Temporal is given, by name, the one that encrypts first; none if it is not encrypted."""
        return _read_keys(self.temporal_codec_keys.get_secret_value()) if self.temporal_codec_keys else {}


def _read_keys(text: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, part in enumerate(filter(None, (piece.strip() for piece in text.split(","))), 1):
        name, colon, encoded = part.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name) or name in keys:
            raise ValueError(f"key {number} is written NAME:KEY, with a name of its own")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 32:
            raise ValueError(
                f"key {number} is not 32 bytes in base64, as `openssl rand -base64 32` makes them"
            )
        keys[name] = key
    return keys
