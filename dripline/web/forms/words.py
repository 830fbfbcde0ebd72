"""What forms say of themselves, in the languages that they speak; everything else is said by the workspace."""

from __future__ import annotations

from collections.abc import Mapping

_EN = {
    "send": "Send",
    "choose": "Please choose",
    "optional": "optional",
    "thanks": "Thank you! We have got it.",
    "thanks-confirm": "Thank you! We have sent you a message: please confirm by its link.",
    "faults": "Something is missing, or not as it should be.",
    "stale": "This page has been open for too long. Please load it anew.",
    "later": "That was a little too much at once. Please try again in a minute.",
    "leave-empty": "Please leave this empty",
    "required": "Please fill this in.",
    "email": "This is not an e-mail address.",
    "phone": "This is not a phone number.",
    "too-long": "This is too long.",
    "choice": "Please choose one of these.",
    "web-address": "Please write this without a web address.",
    "value": "This cannot be right.",
    "agree": "Please tick this box.",
}
_HY = {
    "send": "Ուղարկել",
    "choose": "Խնդրում ենք ընտրել",
    "optional": "պարտադիր չէ",
    "thanks": "Շնորհակալություն։ Ստացանք։",
    "thanks-confirm": "Շնորհակալություն։ Ձեզ հաղորդագրություն ենք ուղարկել. խնդրում ենք հաստատել դրա մեջի հղումով։",
    "faults": "Ինչ-որ բան պակասում է կամ ճիշտ չէ։",
    "stale": "Այս էջը շատ երկար է բաց մնացել։ Խնդրում ենք նորից բացել այն։",
    "later": "Մի քիչ շատ հաճախ էր։ Խնդրում ենք փորձել մեկ րոպեից։",
    "leave-empty": "Խնդրում ենք դատարկ թողնել",
    "required": "Խնդրում ենք լրացնել։",
    "email": "Սա էլ. հասցե չէ։",
    "phone": "Սա հեռախոսահամար չէ։",
    "too-long": "Շատ երկար է։",
    "choice": "Խնդրում ենք ընտրել առաջարկվածներից։",
    "web-address": "Խնդրում ենք գրել առանց կայքի հասցեի։",
    "value": "Սա ճիշտ լինել չի կարող։",
    "agree": "Խնդրում ենք նշել այս վանդակը։",
}
_RU = {
    "send": "Отправить",
    "choose": "Пожалуйста, выберите",
    "optional": "необязательно",
    "thanks": "Спасибо! Мы всё получили.",
    "thanks-confirm": "Спасибо! Мы отправили вам сообщение: подтвердите, пожалуйста, по ссылке в нём.",
    "faults": "Чего-то не хватает, или что-то не так.",
    "stale": "Эта страница была открыта слишком долго. Загрузите её, пожалуйста, ещё раз.",
    "later": "Слишком часто. Попробуйте, пожалуйста, через минуту.",
    "leave-empty": "Оставьте, пожалуйста, пустым",
    "required": "Заполните, пожалуйста, это поле.",
    "email": "Это не адрес электронной почты.",
    "phone": "Это не номер телефона.",
    "too-long": "Слишком длинно.",
    "choice": "Выберите, пожалуйста, из предложенного.",
    "web-address": "Пожалуйста, без адресов сайтов.",
    "value": "Этого не может быть.",
    "agree": "Отметьте, пожалуйста, этот пункт.",
}
_AM = {
    "send": "ላክ",
    "choose": "እባክዎ ይምረጡ",
    "optional": "ግዴታ አይደለም",
    "thanks": "እናመሰግናለን! ደርሶናል።",
    "thanks-confirm": "እናመሰግናለን! መልእክት ልከንልዎታል፤ እባክዎ በውስጡ ባለው አገናኝ ያረጋግጡ።",
    "faults": "የጎደለ ወይም ትክክል ያልሆነ ነገር አለ።",
    "stale": "ይህ ገጽ ለረጅም ጊዜ ተከፍቶ ቆይቷል፤ እባክዎ እንደገና ይክፈቱት።",
    "later": "በጣም ብዙ ጊዜ ተልኳል፤ እባክዎ ከአንድ ደቂቃ በኋላ ይሞክሩ።",
    "leave-empty": "እባክዎ ባዶ ይተዉት",
    "required": "እባክዎ ይህን ይሙሉ።",
    "email": "ይህ የኢሜይል አድራሻ አይደለም።",
    "phone": "ይህ ስልክ ቁጥር አይደለም።",
    "too-long": "በጣም ረጅም ነው።",
    "choice": "እባክዎ ከቀረቡት ይምረጡ።",
    "web-address": "እባክዎ ያለ ድረ ገጽ አድራሻ ይጻፉ።",
    "value": "ይህ ትክክል ሊሆን አይችልም።",
    "agree": "እባክዎ ይህን ሳጥን ምልክት ያድርጉበት።",
}

WORDS: Mapping[str, Mapping[str, str]] = {"en": _EN, "hy": _HY, "ru": _RU, "am": _AM}
"""By language and what is said."""


def words_of(locale: str) -> Mapping[str, str]:
    """What forms say in that language, else in English."""
    return WORDS.get(locale.split("-")[0].lower(), _EN)
