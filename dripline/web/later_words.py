"""What the page says on which a lead names a day, in the languages that pages speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One language."""

    title: str
    text: str
    months: Mapping[int, str]
    own: str
    save: str
    noted: str
    """With the day as {day}."""
    wrong: str


LATER: Mapping[str, Words] = {
    "en": Words(
        "When shall we come back to you?",
        "Until then you will hear little from us. On that day we will write to you.",
        {1: "In a month", 3: "In three months", 6: "In half a year"},
        "On a day of your own",
        "Save",
        "Noted: we will come back to you on {day}.",
        "Please choose a day, from tomorrow on and within two years.",
    ),
    "hy": Words(
        "Ե՞րբ կրկին դիմենք Ձեզ",
        "Մինչ այդ Ձեզ գրեթե չենք անհանգստացնի, իսկ այդ օրը կգրենք։",
        {1: "Մեկ ամսից", 3: "Երեք ամսից", 6: "Կես տարուց"},
        "Իմ ընտրած օրը",
        "Պահպանել",
        "Գրանցեցինք։ Կդիմենք Ձեզ այս օրը՝ {day}։",
        "Խնդրում ենք ընտրել օր՝ վաղվանից սկսած և ոչ ուշ, քան երկու տարուց։",
    ),
    "ru": Words(
        "Когда нам к Вам вернуться?",
        "До тех пор мы почти не будем Вас беспокоить, а в этот день напишем.",
        {1: "Через месяц", 3: "Через три месяца", 6: "Через полгода"},
        "В день, который выберу сам(а)",
        "Сохранить",
        "Записали: вернёмся к Вам {day}",
        "Пожалуйста, выберите день: не раньше завтрашнего и не позже чем через два года.",
    ),
    "am": Words(
        "መቼ ደግመን እንጻፍልዎ?",
        "እስከዚያ ድረስ ብዙ አንጽፍልዎትም፤ በዚያ ቀን ግን እንጽፍልዎታለን።",
        {1: "ከአንድ ወር በኋላ", 3: "ከሦስት ወር በኋላ", 6: "ከስድስት ወር በኋላ"},
        "እኔ በመረጥሁት ቀን",
        "አስቀምጥ",
        "ተመዝግቧል፦ {day} እንጽፍልዎታለን።",
        "እባክዎ ከነገ ጀምሮ እስከ ሁለት ዓመት ድረስ ያለ ቀን ይምረጡ።",
    ),
}

__all__ = ["LATER", "Words"]
