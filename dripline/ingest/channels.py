"""By which channel a lead came: written rules, the first that fits decides (docs/api.md has them in words)."""

from __future__ import annotations

import re

PAID = re.compile(r"(.*cp[acmv].*|ppc|paid.*|retargeting|remarketing|sem)")
"""Mediums that somebody pays for."""

_CLICKS = {
    "gclid": ("google", "paid-search"),
    "gbraid": ("google", "paid-search"),
    "wbraid": ("google", "paid-search"),
    "msclkid": ("bing", "paid-search"),
    "yclid": ("yandex", "paid-search"),
    "ttclid": ("tiktok", "paid-social"),
    "twclid": ("twitter", "paid-social"),
    "li_fat_id": ("linkedin", "paid-social"),
    "fbclid": ("facebook", "social"),  # Facebook marks unpaid links as well
}
_MEDIUMS = {
    **dict.fromkeys(("email", "e-mail", "e_mail", "newsletter", "mail"), "email"),
    **dict.fromkeys(("sms", "text-message"), "sms"),
    **dict.fromkeys(("display", "banner", "interstitial", "programmatic"), "display"),
    **dict.fromkeys(("affiliate", "affiliates", "partner"), "affiliate"),
    **dict.fromkeys(("social", "social-network", "social-media", "sm"), "social"),
    **dict.fromkeys(("referral", "app", "link"), "referral"),
    **dict.fromkeys(("video", "organic-video"), "video"),
    **dict.fromkeys(("push", "mobile", "notification", "web-push"), "push"),
    **dict.fromkeys(("offline", "print", "qr", "phone", "call", "event", "tv", "radio"), "offline"),
    "organic": "organic-search",
    "messenger": "messenger",
}
_SEARCH = [
    "google",
    "bing",
    "yahoo",
    "yandex",
    "duckduckgo",
    "baidu",
    "ecosia",
    "startpage",
    "qwant",
    "naver",
    "rambler",
    "seznam",
    "brave",
    "search.brave.com",
    "go.mail.ru",
    "ya.ru",
    "android-app:com.google.android.googlequicksearchbox",
]
_SOCIAL = [
    "facebook",
    "fb",
    "instagram",
    "ig",
    "linkedin",
    "lnkd.in",
    "twitter",
    "t.co",
    "x.com",
    "tiktok",
    "pinterest",
    "reddit",
    "youtube",
    "youtu.be",
    "vk",
    "vk.com",
    "ok.ru",
    "odnoklassniki",
    "threads",
    "threads.net",
    "mastodon",
    "bsky.app",
    "snapchat",
    "quora",
    "android-app:com.facebook.katana",
    "android-app:com.linkedin.android",
]
_MESSENGERS = [
    "telegram",
    "t.me",
    "whatsapp",
    "wa.me",
    "viber",
    "messenger",
    "m.me",
    "web.telegram.org",
    "web.whatsapp.com",
    "android-app:org.telegram.messenger",
]
_MAIL = [
    "mail.google.com",
    "gmail",
    "outlook",
    "outlook.live.com",
    "outlook.office.com",
    "mail.yahoo.com",
    "e.mail.ru",
    "mail.yandex.ru",
    "mail.proton.me",
    "android-app:com.google.android.gm",
]
_ASSISTANTS = [
    "chatgpt.com",
    "chat.openai.com",
    "perplexity",
    "perplexity.ai",
    "gemini.google.com",
    "copilot.microsoft.com",
    "claude.ai",
]
_KINDS = (
    ("email", _MAIL),
    ("assistant", _ASSISTANTS),
    ("messenger", _MESSENGERS),
    ("organic-search", _SEARCH),
    ("social", _SOCIAL),
)
"""In this order: mail.google.com is no search."""

CLICK_IDS = tuple(_CLICKS)
"""Parameters that advertisers' networks put to a link; the value says who clicked, so it is not kept."""
CHANNELS = [
    "paid-search",
    "paid-social",
    "paid-other",
    "display",
    "affiliate",
    "email",
    "sms",
    "push",
    "messenger",
    "organic-search",
    "social",
    "video",
    "assistant",
    "referral",
    "offline",
    "direct",
    "other",
]
"""The channels that the rules know; a caller may say another."""


def channel_of(medium: str | None, source: str | None, referrer: str | None, click: str | None) -> str:
    """The channel. `click` is the name of a click id, `referrer` a host that is not the page's own."""
    kind = kind_of(source) or (kind_of(referrer) if not source else None)
    word = _word(medium)
    if word and PAID.fullmatch(word):
        if "cpm" in word:
            return "display"
        return {"organic-search": "paid-search", "social": "paid-social"}.get(kind or "", "paid-other")
    if word in _MEDIUMS:
        return _MEDIUMS[word]
    if click:
        return _CLICKS[click][1]
    if kind:
        return kind
    if word or source:
        return "other"
    return "referral" if referrer else "direct"


def source_of(referrer: str | None, click: str | None) -> str | None:
    """The source where none was said: the click id's network, the referrer's well-known name, or its host."""
    if click:
        return _CLICKS[click][0]
    if referrer is None:
        return None
    names = {"organic-search": _SEARCH, "social": _SOCIAL}.get(kind_of(referrer) or "", [])
    return _known(referrer, names) or referrer


def kind_of(name: str | None) -> str | None:
    """The channel that a source (`google`) or a host (`www.google.am`) stands for by itself, if it is well known."""
    if not name:
        return None
    return next((kind for kind, names in _KINDS if _known(name, names)), None)


def _known(name: str, names: list[str]) -> str | None:
    """Which of the names that is: as it stands, as the host or a part of it, or as a host's own name."""
    name = name.casefold().removeprefix("www.")
    for one in names:
        if name == one or ("." in one and name.endswith(f".{one}")):
            return one
        if "." not in one and re.fullmatch(_OF_HOST.format(one), name):
            return one
    return None


_OF_HOST = r"(?:.*\.)?{}\.(?:[a-z]{{2,3}}|(?:com|co)\.[a-z]{{2}})"
"""`google.am`, `news.google.com`, `google.co.uk`."""


def _word(medium: str | None) -> str:
    return (medium or "").strip().casefold().replace("_", "-").replace(" ", "-")
