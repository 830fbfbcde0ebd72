"""What leads write back, by SMS and by e-mail."""

from __future__ import annotations

from dripline.ingest.inbound.keywords import Intent, intent_of, language_of, twilio_answers
from dripline.ingest.inbound.taking import Came, Taken, take

__all__ = ["Came", "Intent", "Taken", "intent_of", "language_of", "take", "twilio_answers"]
