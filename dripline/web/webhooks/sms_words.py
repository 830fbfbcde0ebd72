"""What an SMS of one keyword is answered, in the languages that leads write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from xml.sax.saxutils import escape

Answer = Literal["stop", "start", "help"]

WORDS: Mapping[str, Mapping[Answer, str]] = {
    "en": {
        "stop": "{sender}: you will get no more messages from us. Send START to get them again.",
        "start": "{sender}: you will get our messages again. Send STOP to get no more.",
        "help": "{sender}: these are messages that you agreed to. Send STOP to get no more, START to get them again.",
    },
    "hy": {
        "stop": "{sender}. այլևս հաղորդագրություններ չեք ստանա։ Նորից ստանալու համար ուղարկեք START։",
        "start": "{sender}. նորից կստանաք մեր հաղորդագրությունները։ Դադարեցնելու համար ուղարկեք STOP։",
        "help": "{sender}. այս հաղորդագրություններին համաձայնել եք։ Դադարեցնել՝ STOP, նորից ստանալ՝ START։",
    },
    "ru": {
        "stop": "{sender}: сообщений от нас больше не будет. Чтобы получать их снова, пришлите START.",
        "start": "{sender}: вы снова будете получать наши сообщения. Чтобы отказаться, пришлите STOP.",
        "help": "{sender}: на эти сообщения вы согласились. Отказаться — пришлите STOP, получать снова — START.",
    },
    "am": {
        "stop": "{sender}፦ ከእንግዲህ መልእክት አይደርስዎትም። እንደገና ለመቀበል START ብለው ይላኩ።",
        "start": "{sender}፦ መልእክቶቻችን እንደገና ይደርሱዎታል። ለማቆም STOP ብለው ይላኩ።",
        "help": "{sender}፦ እነዚህ የተስማሙባቸው መልእክቶች ናቸው። ለማቆም STOP፣ እንደገና ለመቀበል START ብለው ይላኩ።",
    },
}


def twiml(text: str | None) -> str:
    """The answer as Twilio takes it: with a message, or with none."""
    message = f"<Message>{escape(text)}</Message>" if text else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
