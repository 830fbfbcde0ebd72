"""What can become of a lead in each of the journeys, and how many of the demo's leads it becomes of."""

from __future__ import annotations

import math

from dripline.stack.demo.behaviour import Cast, Life, OnDay

LENGTH = 325.0
"""Days within which everything has happened: two months of quiet, a holiday that is never more than 105 days away
where the patient leads live, the five months of `reactivation` after it, and some days to spare."""

PATIENT = ("AM", "GE", "IE", "US")
"""Countries whose public holidays are never far apart."""

ALL = ("en", "hy", "ru", "am")
"""`welcome` speaks Amharic, too."""

_WEBINARS = (40.0, 120.0, 200.0, 280.0)
"""Days on which there is one, at three in the afternoon (UTC)."""


# -- welcome -------------------------------------------------------------------------------------------------


def stays_silent(life: Life, day: float) -> None:
    life.comes(day)


def books(life: Life, day: float) -> None:
    life.comes(day)
    seats = life.draw.choice([5, 8, 12, 30])
    life.says(day + 1.5, "demo.booked", seats=seats, starts_at=OnDay(math.ceil(day) + 9 + 10 / 24))


def books_too_few(life: Life, day: float) -> None:
    life.comes(day)
    life.says(day + 1.5, "demo.booked", seats=2)


def buys(life: Life, day: float) -> None:
    life.comes(day)
    life.pays(day + 2)


def buys_later(life: Life, day: float) -> None:
    """After the journey's end, within the time for which its goal counts."""
    life.comes(day)
    life.pays(day + 14)


def turns_down(life: Life, day: float) -> None:
    """Says no at first, is left in peace by `reactivation`, and comes to look again."""
    life.comes(day)
    life.says(day + 2, "lead.rejected", reason=life.draw.choice(["price", "timing"]))
    life.says(day + 2 + life.draw.uniform(20, 45), "pricing.viewed", page="/pricing")


def unsubscribes(life: Life, day: float) -> None:
    life.comes(day)
    life.says(day + 2, "lead.unsubscribed", channel="email")


def becomes_a_customer(life: Life, day: float) -> None:
    life.comes(day)
    life.changes(day + 2, stage="customer")


def leaves_the_newsletter(life: Life, day: float) -> None:
    life.comes(day)
    life.changes(day + 2, topics={"newsletter": False})


# -- welcome-opt-in ------------------------------------------------------------------------------------------


def confirms(life: Life, day: float) -> None:
    _signs_up(life, day)
    life.changes(day + 1, consent={"email": True})


def confirms_when_asked_again(life: Life, day: float) -> None:
    _signs_up(life, day)
    life.changes(day + 4.5, consent={"email": True})


def never_confirms(life: Life, day: float) -> None:
    _signs_up(life, day)


def _signs_up(life: Life, day: float) -> None:
    life.comes(day, agrees=False)
    life.says(day + 0.1, "signup.requested", form="footer")


# -- requests ------------------------------------------------------------------------------------------------


def asks_something(life: Life, day: float) -> None:
    """A lead that is known sends the form, and half of them write back."""
    life.comes(day, historical=True)
    submission = f"{life.person.external_id}/form"
    life.says(
        day + 1,
        "form.submitted",
        form="contact",
        submission=submission,
        known=True,
        asks=[],
        message="How many seats can we begin with?",
    )
    if life.draw.random() < 0.5:
        life.says(2, "lead.replied", after="requests/received-again", channel="email", text="Thank you!")


# -- farewell ------------------------------------------------------------------------------------------------


def leaves_for_the_price(life: Life, day: float) -> None:
    _cancels(life, day)
    life.says(day + 3, "reason.given", reason="price")


def stays_for_less(life: Life, day: float) -> None:
    leaves_for_the_price(life, day)
    life.redeems(5, "farewell", "percent", after="farewell/price")
    life.says(5.2, "subscription.resumed", after="farewell/price", plan="team")


def has_no_time(life: Life, day: float) -> None:
    _cancels(life, day)
    life.says(day + 2.5, "reason.given", reason="time")


def was_not_served(life: Life, day: float) -> None:
    _cancels(life, day)
    life.says(day + 3, "reason.given", reason=life.draw.choice(["service", "missing"]))


def has_another_reason(life: Life, day: float) -> None:
    _cancels(life, day)
    life.says(day + 3, "reason.given", reason="other")


def says_nothing(life: Life, day: float) -> None:
    _cancels(life, day)


def thinks_better_of_it(life: Life, day: float) -> None:
    _cancels(life, day)
    life.says(day + 2, "subscription.resumed", plan="team")


def _cancels(life: Life, day: float) -> None:
    life.comes(day, historical=True)
    life.says(
        day + 0.1, "subscription.cancelled", plan="team", ends_on=OnDay(math.ceil(day) + 20, whole=True)
    )


# -- bring-a-friend ------------------------------------------------------------------------------------------


def is_happy(life: Life, day: float) -> None:
    life.comes(day, historical=True)
    life.says(day + 0.1, "feedback.given", score=life.draw.choice([9, 10]), comment="Saves us hours")


def is_not_so_happy(life: Life, day: float) -> None:
    """Is not asked to bring anybody."""
    life.comes(day, historical=True)
    life.says(day + 0.1, "feedback.given", score=6)


def is_happy_and_unsubscribes(life: Life, day: float) -> None:
    is_happy(life, day)
    life.says(day + 8, "lead.unsubscribed", channel="email")


# -- reactivation --------------------------------------------------------------------------------------------


def stays_away(life: Life, day: float) -> None:
    life.comes(day, historical=True)
    reason = life.draw.choice(["price", "timing", "no answer"])
    life.says(day + 0.1, "lead.rejected", reason=reason)


def does_not_fit(life: Life, day: float) -> None:
    life.comes(day, historical=True)
    life.says(day + 0.1, "lead.rejected", reason="a student")


def wakes(life: Life, day: float) -> None:
    stays_away(life, day)
    back = day + life.draw.uniform(20, 55)
    if life.draw.random() < 0.5:
        life.says(back, "pricing.viewed", page="/pricing")
    else:
        life.says(back, "trial.started", plan="team")


def answers_the_greeting(life: Life, day: float) -> None:
    stays_away(life, day)
    life.says(6, "lead.replied", after="reactivation/holiday", channel="email")


def answers_the_offer(life: Life, day: float) -> None:
    stays_away(life, day)
    life.says(12, "lead.replied", after="reactivation/offer", channel="email")


def takes_the_offer(life: Life, day: float) -> None:
    stays_away(life, day)
    life.redeems(7, "reactivation", "percent", after="reactivation/offer")
    life.pays(7.2, after="reactivation/offer")


def has_enough(life: Life, day: float) -> None:
    stays_away(life, day)
    life.says(3, "lead.unsubscribed", after="reactivation/holiday", channel="email")


# -- deferred-demand -----------------------------------------------------------------------------------------


def waits_for_the_day(life: Life, day: float) -> None:
    _not_now(life, day, life.draw.randint(50, 110))


def waits_a_little(life: Life, day: float) -> None:
    _not_now(life, day, 12)


def comes_earlier(life: Life, day: float) -> None:
    _not_now(life, day, 100)
    life.says(day + life.draw.uniform(30, 70), "demo.booked", seats=4)


def buys_before(life: Life, day: float) -> None:
    _not_now(life, day, 90)
    life.pays(day + life.draw.uniform(20, 60))


def does_not_want_to_wait(life: Life, day: float) -> None:
    _not_now(life, day, 80)
    life.says(day + 45, "lead.unsubscribed", channel="email")


def _not_now(life: Life, day: float, days: int) -> None:
    life.comes(day, historical=True)
    until = OnDay(math.ceil(day) + days, whole=True)
    life.says(day + 0.1, "demand.deferred", product="Team plan", until=until)


# -- webinar -------------------------------------------------------------------------------------------------


def attends(life: Life, day: float) -> None:
    webinar = _registers(life, day)
    # just when it begins: what comes four hours later comes too late, and that is a moment here
    life.says(
        _WEBINARS[webinar] + 15.1 / 24,
        "webinar.attended",
        webinar=f"Journeys in an hour, no. {webinar + 1}",
        minutes=life.draw.randint(35, 60),
    )


def misses(life: Life, day: float) -> None:
    _registers(life, day)


def watches_the_recording(life: Life, day: float) -> None:
    misses(life, day)
    link = "https://dripline.example/webinars"
    life.says(1.3, "email.clicked", after="webinar/missed", template="webinar/missed", link=link)


def cancels(life: Life, day: float) -> None:
    webinar = _registers(life, day)
    life.says(day + 4, "webinar.cancelled", webinar=f"Journeys in an hour, no. {webinar + 1}")


def _registers(life: Life, day: float) -> int:
    """For the next webinar that is more than a week away."""
    number = next(number for number, on in enumerate(_WEBINARS) if on > day + 8)
    life.comes(day, historical=True)
    life.says(
        day + 0.1,
        "webinar.registered",
        webinar=f"Journeys in an hour, no. {number + 1}",
        starts_at=OnDay(_WEBINARS[number] + 15 / 24),
        url=f"https://live.example/w/{number + 1}",
    )
    return number


# -- nps, review-request --------------------------------------------------------------------------------------


def is_asked_and_answers(life: Life, day: float) -> None:
    life.comes(day, historical=True)
    life.says(day + 0.1, "onboarding.finished")
    score = life.draw.choice([3, 6, 8, 9, 10])
    words = {} if 6 < score < 9 else {"comment": "Quick and friendly" if score > 8 else "It took too long"}
    life.says(0.4, "survey.answered", after="nps/ask", survey="recommend", answer=str(score), **words)


def gets_an_order_and_says_how_it_was(life: Life, day: float) -> None:
    life.comes(day, historical=True)
    life.says(day + 0.1, "order.delivered", order_id=f"{life.person.external_id}/order", items=["seats"])
    said = {"survey": "experience", "answer": life.draw.choice(["2", "4", "5"])}
    life.says(0.4, "survey.answered", after="review/ask", **said)


# -- lead-magnet ---------------------------------------------------------------------------------------------


def reads_the_book(life: Life, day: float) -> None:
    """Half of them look at prices as well; and some book, once they are invited."""
    life.comes(day, historical=True)
    url = "https://dripline.example/ebook.pdf"
    life.says(day + 0.1, "ebook.requested", title="Journeys that sell", url=url)
    life.says(0.3, "email.clicked", after="lead-magnet/book", template="lead-magnet/book", link=url)
    if life.draw.random() < 0.5:
        life.says(0.2, "pricing.viewed", after="lead-magnet/example", page="/pricing")
    if life.draw.random() < 0.7:
        life.says(1.5, "demo.booked", after="lead-magnet/demo", seats=4)


# -- how many, and when --------------------------------------------------------------------------------------

CASTS = [
    Cast(9, stays_silent, 1, 310, ALL),
    Cast(9, books, 2, 310, ALL),
    Cast(3, books_too_few, 20, 280, ALL),
    Cast(4, buys, 10, 300, ALL),
    Cast(3, buys_later, 10, 280),
    Cast(4, turns_down, 1, 200),
    Cast(3, unsubscribes, 20, 300),
    Cast(3, becomes_a_customer, 20, 300),
    Cast(3, leaves_the_newsletter, 20, 300),
    Cast(8, confirms, 5, 310, ALL),
    Cast(4, confirms_when_asked_again, 5, 300, ALL),
    Cast(4, never_confirms, 5, 300, ALL),
    Cast(2, asks_something, 5, 290),
    Cast(4, leaves_for_the_price, 5, 300),
    Cast(4, stays_for_less, 10, 270),
    Cast(5, has_no_time, 5, 300),
    Cast(4, was_not_served, 5, 300),
    Cast(3, has_another_reason, 5, 300),
    Cast(4, says_nothing, 5, 300),
    Cast(3, thinks_better_of_it, 5, 300),
    Cast(10, is_happy, 2, 250),
    Cast(3, is_not_so_happy, 10, 300),
    Cast(2, is_happy_and_unsubscribes, 10, 250),
    Cast(8, stays_away, 1, 8, countries=PATIENT),
    Cast(2, does_not_fit, 10, 300),
    Cast(6, wakes, 5, 250),
    Cast(3, answers_the_greeting, 1, 8, countries=PATIENT),
    Cast(3, answers_the_offer, 1, 8, countries=PATIENT),
    Cast(4, takes_the_offer, 1, 8, countries=PATIENT),
    Cast(2, has_enough, 1, 8, countries=PATIENT),
    Cast(7, waits_for_the_day, 3, 200),
    Cast(3, waits_a_little, 10, 290),
    Cast(5, comes_earlier, 3, 200),
    Cast(4, buys_before, 3, 200),
    Cast(2, does_not_want_to_wait, 20, 200),
    Cast(9, attends, 2, 265),
    Cast(4, misses, 2, 265),
    Cast(2, watches_the_recording, 30, 240),
    Cast(3, cancels, 2, 265),
    Cast(4, is_asked_and_answers, 5, 280),
    Cast(4, gets_an_order_and_says_how_it_was, 5, 290),
    Cast(4, reads_the_book, 5, 280),
]
REFERRERS = [  # happy customers whose friend comes so many days later: each of them brings another lead
    (Cast(7, is_happy, 3, 270), 7),
    (Cast(3, is_happy, 3, 230), 32),
]
