"""What the lead's own page says, in the languages that the pages speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Everything that stands on the page."""

    title: str
    text: str
    channels: Mapping[str, str]
    everything: str
    """In the place of topics, where there are none."""
    save: str
    leave: str
    pause: str
    paused: str
    """With the day as {day}."""
    resume: str
    track: str
    untrack: str
    cannot_join: str
    """Why what is not ticked cannot be ticked."""
    did: Mapping[str, str]
    """What is told when it is done."""


_EN = Words(
    title="What may we send you?",
    text="Tick what you would like to get, and press the button.",
    channels={"email": "E-mail", "sms": "Text message"},
    everything="News and offers",
    save="Save",
    leave="Send me nothing more",
    pause="Not for 30 days",
    paused="We will leave you in peace until {day}.",
    resume="Write to me again now",
    track="You may keep what I open and click",
    untrack="Do not keep what I open and click",
    cannot_join="What is grey can only be ticked by a link that was sent there.",
    did={
        "save": "Saved. This is what you will get:",
        "leave": "You will get no more news or offers from us.",
        "pause": "You will get no news or offers for 30 days.",
        "resume": "Good to have you back.",
        "track": "Thank you. We keep what you open and click.",
        "untrack": "We no longer keep what you open and click.",
    },
)
_HY = Words(
    title="Ի՞նչ կարող ենք ուղարկել Ձեզ",
    text="Նշեք, թե ինչ կցանկանայիք ստանալ, և սեղմեք կոճակը։",
    channels={"email": "Էլ. փոստ", "sms": "SMS"},
    everything="Նորություններ և առաջարկներ",
    save="Պահպանել",
    leave="Այլևս ոչինչ չուղարկել",
    pause="30 օր չուղարկել",
    paused="Մինչև {day} Ձեզ չենք անհանգստացնի։",
    resume="Նորից գրել ինձ",
    track="Կարող եք պահել, թե ինչ եմ բացում և սեղմում",
    untrack="Չպահել, թե ինչ եմ բացում և սեղմում",
    cannot_join="Մոխրագույնը հնարավոր է նշել միայն այնտեղ ուղարկված հղումով։",
    did={
        "save": "Պահպանված է։ Ահա թե ինչ կստանաք.",
        "leave": "Նորություններ և առաջարկներ մեզնից այլևս չեք ստանա։",
        "pause": "30 օր նորություններ և առաջարկներ չեք ստանա։",
        "resume": "Ուրախ ենք, որ վերադարձաք։",
        "track": "Շնորհակալություն։ Կպահենք, թե ինչ եք բացում և սեղմում։",
        "untrack": "Այլևս չենք պահում, թե ինչ եք բացում և սեղմում։",
    },
)
_RU = Words(
    title="Что вам присылать?",
    text="Отметьте, что хотели бы получать, и нажмите на кнопку.",
    channels={"email": "Эл. почта", "sms": "SMS"},
    everything="Новости и предложения",
    save="Сохранить",
    leave="Больше ничего не присылать",
    pause="Не писать 30 дней",
    paused="Мы не будем вас беспокоить до {day}.",
    resume="Снова писать мне",
    track="Можно сохранять, что я открываю и нажимаю",
    untrack="Не сохранять, что я открываю и нажимаю",
    cannot_join="Серое можно отметить только по ссылке, отправленной туда.",
    did={
        "save": "Сохранено. Вот что вы будете получать:",
        "leave": "Новостей и предложений от нас вы больше не получите.",
        "pause": "30 дней вы не будете получать новостей и предложений.",
        "resume": "Рады, что вы снова с нами.",
        "track": "Спасибо. Мы сохраняем, что вы открываете и нажимаете.",
        "untrack": "Мы больше не сохраняем, что вы открываете и нажимаете.",
    },
)
_AM = Words(
    title="ምን እንላክልዎት?",
    text="ሊደርስዎት የሚፈልጉትን ምልክት ያድርጉና ቁልፉን ይጫኑ።",
    channels={"email": "ኢሜይል", "sms": "የጽሑፍ መልእክት"},
    everything="ዜናዎች እና ቅናሾች",
    save="አስቀምጥ",
    leave="ከእንግዲህ ምንም አትላኩልኝ",
    pause="ለ30 ቀናት አትጻፉልኝ",
    paused="እስከ {day} ድረስ አንጽፍልዎትም።",
    resume="እንደገና ጻፉልኝ",
    track="የምከፍተውንና የምጫነውን መመዝገብ ትችላላችሁ",
    untrack="የምከፍተውንና የምጫነውን አትመዝግቡ",
    cannot_join="ግራጫ የሆነውን መምረጥ የሚቻለው ወደዚያ በተላከ አገናኝ ብቻ ነው።",
    did={
        "save": "ተቀምጧል። የሚደርስዎት ይህ ነው፦",
        "leave": "ከእንግዲህ ዜናም ሆነ ቅናሽ ከእኛ አይደርስዎትም።",
        "pause": "ለ30 ቀናት ዜናም ሆነ ቅናሽ አይደርስዎትም።",
        "resume": "እንኳን ተመለሱ።",
        "track": "እናመሰግናለን። የሚከፍቱትንና የሚጫኑትን እንመዘግባለን።",
        "untrack": "ከእንግዲህ የሚከፍቱትንና የሚጫኑትን አንመዘግብም።",
    },
)

PREFERENCES: Mapping[str, Words] = {"en": _EN, "hy": _HY, "ru": _RU, "am": _AM}
"""By language."""
