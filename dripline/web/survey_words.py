"""What the page of a survey says besides the survey itself, in the languages that pages speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One language."""

    send: str
    add: str
    """The button that sends words after an answer was given."""
    choose: str
    """Where something is still to be chosen."""
    thanks: str
    noted: str
    optional: str


SURVEYS: Mapping[str, Words] = {
    "en": Words(
        "Send",
        "Send",
        "Please choose an answer to each question.",
        "Thank you!",
        "Your answer has reached us. You may close this page.",
        "if you like",
    ),
    "hy": Words(
        "Ուղարկել",
        "Ուղարկել",
        "Խնդրում ենք ընտրել պատասխան յուրաքանչյուր հարցի համար։",
        "Շնորհակալություն",
        "Ձեր պատասխանը ստացանք։ Կարող եք փակել այս էջը։",
        "ըստ ցանկության",
    ),
    "ru": Words(
        "Отправить",
        "Отправить",
        "Пожалуйста, выберите ответ на каждый вопрос.",
        "Спасибо!",
        "Мы получили ваш ответ. Эту страницу можно закрыть.",
        "по желанию",
    ),
    "am": Words(
        "ላክ",
        "ላክ",
        "እባክዎ ለእያንዳንዱ ጥያቄ መልስ ይምረጡ።",
        "እናመሰግናለን!",
        "መልስዎ ደርሶናል። ይህን ገጽ መዝጋት ይችላሉ።",
        "ከፈለጉ",
    ),
}

__all__ = ["SURVEYS", "Words"]
