"""What the pages behind links of messages say, in the languages that they speak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """A page: its heading, a sentence or two, and what the button says, if there is one."""

    title: str
    text: str
    button: str | None = None


_EN = {
    "ask-answer": Said(
        "Just a moment",
        "Your answer is on its way. Does nothing happen? Then press the button.",
        "Send my answer",
    ),
    "ask-confirm": Said(
        "Shall we write to you?",
        "One click confirms that this address is yours and that we may write to you.",
        "Yes, write to me",
    ),
    "ask-unsubscribe": Said(
        "Unsubscribe?", "You will get no more messages of this kind from us.", "Unsubscribe me"
    ),
    "did-answer": Said("Thank you!", "Your answer has reached us. You may close this page."),
    "did-confirm": Said("Thank you!", "Your address is confirmed. You will hear from us."),
    "did-unsubscribe": Said(
        "You are unsubscribed",
        "You will get no more messages of this kind from us.",
        "Stop all our news and offers",
    ),
    "did-everything": Said("You are unsubscribed", "We will send you no more news or offers this way."),
    "outlived": Said("This link no longer works", "It may be too old. Nothing has been changed."),
    "unknown-friend": Said(
        "We do not know this link",
        "Perhaps a piece of the address is missing, or the offer is over: please ask whoever gave it to you.",
    ),
    "unknown": Said(
        "We do not know this link",
        "Perhaps a piece of the address is missing: please open it from the message again. Nothing has been changed.",
    ),
    "later": Said(
        "Please try again in a minute", "Something of ours is not working just now. Nothing has been changed."
    ),
    "example": Said(
        "This is only an example",
        "In the lead's own message a link that works stands here. Nothing has been changed.",
    ),
}
_HY = {
    "ask-answer": Said(
        "Մի պահ", "Ձեր պատասխանն ուղարկվում է։ Եթե ոչինչ տեղի չունենա, սեղմեք կոճակը։", "Ուղարկել պատասխանը"
    ),
    "ask-confirm": Said(
        "Կարո՞ղ ենք գրել Ձեզ",
        "Մեկ սեղմումով կհաստատեք, որ այս հասցեն Ձերն է, և որ կարող ենք գրել Ձեզ։",
        "Այո, գրեք ինձ",
    ),
    "ask-unsubscribe": Said(
        "Չստանա՞լ այլևս", "Այսպիսի հաղորդագրություններ մեզնից այլևս չեք ստանա։", "Այլևս չստանալ"
    ),
    "did-answer": Said("Շնորհակալություն", "Ձեր պատասխանը ստացանք։ Կարող եք փակել այս էջը։"),
    "did-confirm": Said("Շնորհակալություն", "Ձեր հասցեն հաստատված է։ Շուտով կգրենք Ձեզ։"),
    "did-unsubscribe": Said(
        "Այլևս չենք գրի",
        "Այսպիսի հաղորդագրություններ մեզնից այլևս չեք ստանա։",
        "Չստանալ նաև մյուս նորություններն ու առաջարկները",
    ),
    "did-everything": Said("Այլևս չենք գրի", "Այս ճանապարհով այլևս նորություններ և առաջարկներ չենք ուղարկի։"),
    "outlived": Said("Այս հղումն այլևս չի գործում", "Հնարավոր է՝ այն շատ հին է։ Ոչինչ չի փոխվել։"),
    "unknown-friend": Said(
        "Այս հղումը մեզ ծանոթ չէ",
        "Հնարավոր է՝ հասցեի մի մասը պակասում է, կամ առաջարկն ավարտվել է։ Խնդրում ենք հարցնել նրան, ով Ձեզ տվել է այն։",
    ),
    "unknown": Said(
        "Այս հղումը մեզ ծանոթ չէ",
        "Հնարավոր է՝ հասցեի մի մասը պակասում է։ Խնդրում ենք նորից բացել այն նամակից։ Ոչինչ չի փոխվել։",
    ),
    "later": Said(
        "Խնդրում ենք փորձել մեկ րոպեից", "Մեր կողմում այս պահին ինչ-որ բան չի աշխատում։ Ոչինչ չի փոխվել։"
    ),
    "example": Said("Սա միայն օրինակ է", "Ստացողի նամակում այստեղ գործող հղում է։ Ոչինչ չի փոխվել։"),
}
_RU = {
    "ask-answer": Said(
        "Одну минуту", "Ваш ответ отправляется. Ничего не происходит? Нажмите на кнопку.", "Отправить ответ"
    ),
    "ask-confirm": Said(
        "Можно вам писать?",
        "Одним нажатием вы подтверждаете, что это ваш адрес и что мы можем вам писать.",
        "Да, пишите мне",
    ),
    "ask-unsubscribe": Said("Отписаться?", "Таких сообщений от нас вы больше не получите.", "Отписаться"),
    "did-answer": Said("Спасибо!", "Мы получили ваш ответ. Эту страницу можно закрыть."),
    "did-confirm": Said("Спасибо!", "Ваш адрес подтверждён. Мы вам напишем."),
    "did-unsubscribe": Said(
        "Вы отписались",
        "Таких сообщений от нас вы больше не получите.",
        "Не получать и других новостей и предложений",
    ),
    "did-everything": Said("Вы отписались", "Новостей и предложений этим путём мы больше не пришлём."),
    "outlived": Said("Эта ссылка больше не действует", "Возможно, она слишком старая. Ничего не изменилось."),
    "unknown-friend": Said(
        "Мы не знаем такой ссылки",
        "Возможно, часть адреса потерялась или предложение закончилось: спросите того, кто вам её дал.",
    ),
    "unknown": Said(
        "Мы не знаем такой ссылки",
        "Возможно, часть адреса потерялась: откройте ссылку из письма ещё раз. Ничего не изменилось.",
    ),
    "later": Said("Попробуйте через минуту", "У нас сейчас что-то не работает. Ничего не изменилось."),
    "example": Said(
        "Это только пример", "В письме получателя здесь стоит действующая ссылка. Ничего не изменилось."
    ),
}
_AM = {
    "ask-answer": Said("አንድ አፍታ", "መልስዎ እየተላከ ነው። ምንም ካልተከሰተ ቁልፉን ይጫኑ።", "መልሴን ላክ"),
    "ask-confirm": Said("እንጻፍልዎት?", "አንድ ጊዜ ሲጫኑ ይህ አድራሻ የእርስዎ መሆኑን እና ልንጽፍልዎት እንደምንችል ያረጋግጣሉ።", "አዎ፣ ጻፉልኝ"),
    "ask-unsubscribe": Said("ከዝርዝሩ ይውጡ?", "እንዲህ ያሉ መልእክቶች ከእኛ ከእንግዲህ አይደርስዎትም።", "ከዝርዝሩ አስወጡኝ"),
    "did-answer": Said("እናመሰግናለን!", "መልስዎ ደርሶናል። ይህን ገጽ መዝጋት ይችላሉ።"),
    "did-confirm": Said("እናመሰግናለን!", "አድራሻዎ ተረጋግጧል። እንጽፍልዎታለን።"),
    "did-unsubscribe": Said("ከዝርዝሩ ወጥተዋል", "እንዲህ ያሉ መልእክቶች ከእኛ ከእንግዲህ አይደርስዎትም።", "ሌሎች ዜናዎችን እና ቅናሾችንም አቁሙ"),
    "did-everything": Said("ከዝርዝሩ ወጥተዋል", "ከእንግዲህ በዚህ መንገድ ዜናም ሆነ ቅናሽ አንልክልዎትም።"),
    "outlived": Said("ይህ አገናኝ ከእንግዲህ አይሠራም", "ምናልባት በጣም አርጅቶ ይሆናል። ምንም አልተለወጠም።"),
    "unknown-friend": Said(
        "ይህን አገናኝ አናውቀውም",
        "ምናልባት የአድራሻው ክፍል ጎድሎ ወይም ቅናሹ አልቆ ይሆናል፤ እባክዎ አገናኙን የሰጠዎትን ሰው ይጠይቁ።",
    ),
    "unknown": Said("ይህን አገናኝ አናውቀውም", "ምናልባት የአድራሻው ክፍል ጎድሎ ይሆናል፤ እባክዎ ከመልእክቱ እንደገና ይክፈቱት። ምንም አልተለወጠም።"),
    "later": Said("እባክዎ ከአንድ ደቂቃ በኋላ ይሞክሩ", "በእኛ በኩል አሁን የማይሠራ ነገር አለ። ምንም አልተለወጠም።"),
    "example": Said("ይህ ምሳሌ ብቻ ነው", "በተቀባዩ መልእክት ውስጥ እዚህ የሚሠራ አገናኝ አለ። ምንም አልተለወጠም።"),
}

WORDS: Mapping[str, Mapping[str, Said]] = {"en": _EN, "hy": _HY, "ru": _RU, "am": _AM}
"""By language and page."""


def language(wanted: Iterable[str | None]) -> str:
    """The first of these language tags (`hy-AM`) that the pages speak, else English."""
    for tag in wanted:
        spoken = (tag or "").replace("_", "-").split("-")[0].lower()
        if spoken in WORDS:
            return spoken
    return "en"


__all__ = ["WORDS", "Said", "language"]
