"""The steps of a journey: one class for each verb, as a marketer writes it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    WithJsonSchema,
    model_validator,
)

from dripline.language.changing import EnrollStep, IncludeArguments, SetStep, UnenrollStep, UpdateStep
from dripline.language.discounts import DiscountArguments
from dripline.language.kinds import (
    LENGTH,
    Cap,
    Condition,
    Events,
    Flag,
    Length,
    Percent,
    TemplateName,
    Text,
    read_length,
)
from dripline.language.load import Written, wrong
from dripline.language.notices import Notice, NoticeArguments
from dripline.language.outside import Call, Webhook
from dripline.language.people import AssignStep, TaskStep
from dripline.language.plan import Duration, Reached
from dripline.language.problems import did_you_mean, listed
from dripline.language.step_keys import NamedResult, StepKeys, long_form
from dripline.language.times import DelayUntil, MomentArguments, OnLimit, QuietHours, Until, Window


class MessageArguments(Written):
    """Which message, and how it differs from the journey's defaults."""

    template: TemplateName = Field(description="The template under templates/, like `welcome/hello`.")
    subject: Text | None = Field(None, description="A subject instead of the template's own (e-mail only).")
    from_: Text | None = Field(None, alias="from", description="The sender, by its name in dripline.yaml.")
    topic: Text | None = Field(None, description="The subscription topic that a lead can leave.")
    transactional: Flag = Field(
        False, description="The lead asked for this very message (a receipt): no topic, no cap."
    )
    limit: Cap | None = Field(None, description="At most so many in so long, over all journeys.")
    on_limit: OnLimit | None = Field(
        None, description="What to do over the limit: `skip`, or `wait 2 days` for a place."
    )
    quiet_hours: QuietHours | None = Field(
        None, description="When it must not go, in the lead's zone: `21:00-09:00`, or `none`."
    )
    window: Window | None = Field(
        None, description="When it may go only, in the lead's zone: `mon-fri 09:00-18:00`, or `none`."
    )
    expires: Length | None = Field(None, description="How late it may go; later it is left out: `1h`.")
    fallback: Fallback | None = Field(
        None,
        description="Where it may not be sent to this lead at all, this instead: `{sms: welcome/hello}`.",
    )


Message = Annotated[MessageArguments, long_form("template")]


def _one_message(value: Any) -> Any:
    if isinstance(value, tuple):
        return value
    verb = next(iter(value), None) if isinstance(value, dict) and len(value) == 1 else None
    if verb not in ("email", "sms"):
        raise wrong("wrong-value", "a fallback is one message", "write it like `{sms: welcome/hello}`")
    return [value]


class EmailStep(NamedResult):
    """Send an e-mail."""

    email: Message = Field(description="The template, like `welcome/hello`.")

    @model_validator(mode="after")
    def _another_way(self) -> EmailStep:
        if any(isinstance(step, EmailStep) for step in self.email.fallback or ()):
            raise wrong("wrong-value", "a fallback takes the other way", "write `{sms: …}`", key="email")
        return self

    @property
    def message(self) -> MessageArguments:
        """What to send."""
        return self.email


class SmsStep(NamedResult):
    """Send a text message to the lead's phone."""

    sms: Message = Field(description="The template, like `welcome/hello`.")

    @model_validator(mode="after")
    def _without_subject(self) -> SmsStep:
        if self.sms.subject is not None:
            raise wrong("unknown-key", "an SMS has no subject", "remove it", key="sms")
        if any(isinstance(step, SmsStep) for step in self.sms.fallback or ()):
            raise wrong("wrong-value", "a fallback takes the other way", "write `{email: …}`", key="sms")
        return self

    @property
    def message(self) -> MessageArguments:
        """What to send."""
        return self.sms


class DelayStep(StepKeys):
    """Wait for a length of time. A day is a calendar day: 09:00 stays 09:00."""

    delay: Length = Field(description="How long, like `2 days` or `3h`.")


def _since(value: Any) -> Any:
    if value in ("now", "start"):
        return value
    if isinstance(value, str) and _A_STEP.match(value):
        return Reached(step=value)
    return read_length(value)


_A_STEP = re.compile(r"(?!P[\dT])[A-Za-z]")
_COUNTED = "`now`, `start`, a step's id (when the run last came there), or a duration back"

Since = Annotated[
    Literal["now", "start"] | Duration | Reached,
    BeforeValidator(_since),
    WithJsonSchema(
        {"anyOf": [{"enum": ["now", "start"]}, LENGTH, {"type": "string", "pattern": "^[A-Za-z]"}]}
    ),
]


class DelayUntilStep(StepKeys):
    """Wait until a moment of the calendar, in the lead's time zone."""

    delay_until: DelayUntil = Field(description="The moment, like `monday 09:00` or `lead.trial_ends_at`.")


class WaitArguments(Written):
    """Which event, and how long."""

    event: Events = Field(description="The event, or a list of events of which any will do.")
    when: Condition | None = Field(
        None, description="Only events for which this holds, like `event.seats >= 5`."
    )
    timeout: Length | None = Field(None, description="How long to wait; without it, forever.")
    since: Since | None = Field(
        None,
        description=f"From when on events count: {_COUNTED}."
        " Without it, from this run's last message (else its start).",
    )
    until: Until | None = Field(None, description="Until when to wait, like `friday 18:00`.")


class WaitForStep(NamedResult):
    """Wait until something happens, or until the time is up."""

    wait_for: Annotated[WaitArguments, long_form("event")] = Field(description="The event to wait for.")
    when: Condition | None = Field(
        None, description="Only events for which this holds, like `event.seats >= 5`."
    )
    timeout: Length | None = Field(None, description="How long to wait; without it, forever.")
    since: Since | None = Field(None, description=f"From when on events count: {_COUNTED}.")
    until: Until | None = Field(None, description="Until when to wait, like `friday 18:00`.")
    then: Steps | None = Field(None, description="What to do when the event came.")
    else_: Steps | None = Field(None, alias="else", description="What to do when the time is up.")

    @model_validator(mode="after")
    def _said_once(self) -> WaitForStep:
        for key in ("when", "timeout", "since", "until"):
            if getattr(self, key) is not None and getattr(self.wait_for, key) is not None:
                raise wrong("duplicate-key", f"`{key}` is said twice", "keep one of the two", key=key)
        if self.length is not None and self.moment is not None:
            key = "until" if self.until is not None else "timeout" if self.timeout is not None else "wait_for"
            raise wrong(
                "wrong-value", "`timeout` and `until` both end this wait", "keep one of the two", key=key
            )
        return self

    @property
    def filter(self) -> str | None:
        """The condition on the event, wherever it stands."""
        return self.when if self.when is not None else self.wait_for.when

    @property
    def length(self) -> Duration | None:
        """The timeout, wherever it stands."""
        return self.timeout if self.timeout is not None else self.wait_for.timeout

    @property
    def moment(self) -> MomentArguments | None:
        """`until`, wherever it stands."""
        return self.until if self.until is not None else self.wait_for.until

    @property
    def ends(self) -> bool:
        """Whether the time can be up."""
        return self.length is not None or self.moment is not None

    @property
    def counts_since(self) -> Literal["now", "start"] | Duration | Reached | None:
        """`since`, wherever it stands."""
        return self.since if self.since is not None else self.wait_for.since


class WhenArm(Written):
    """A way that is taken if its condition holds."""

    when: Condition = Field(description="The condition, like `lead.plan == 'team'`.")
    steps: Steps = Field(description="What to do then.")


class ElseArm(Written):
    """The way that is taken if no condition before it held."""

    else_: Steps = Field(alias="else", description="What to do otherwise.")


def _arm(value: Any) -> str:
    return "<else>" if isinstance(value, dict) and "else" in value and "when" not in value else "<when>"


Arm = Annotated[Annotated[WhenArm, Tag("<when>")] | Annotated[ElseArm, Tag("<else>")], Discriminator(_arm)]


class BranchStep(StepKeys):
    """Go the first way whose condition holds; if none does, go on."""

    branch: Annotated[tuple[Arm, ...], Field(min_length=1, max_length=100)] = Field(
        description="The ways, in order: `when` and `steps` each, the last may be `else`."
    )

    @model_validator(mode="after")
    def _else_last(self) -> BranchStep:
        if any(isinstance(arm, ElseArm) for arm in self.branch[:-1]):
            raise wrong("wrong-value", "an `else` must be the last way", "move it to the end", key="branch")
        return self


class SplitArm(Written):
    """A share of the leads, and what they get."""

    percent: Percent = Field(description="How many of a hundred leads go this way.")
    name: Annotated[Text, Field(max_length=64)] = Field(description="Its name for the reports: `control`.")
    steps: Steps = Field(description="What they get.")


class SplitStep(StepKeys):
    """Send leads different ways by lot. The same lead always goes the same way."""

    split: Annotated[tuple[SplitArm, ...], Field(min_length=1, max_length=100)] = Field(
        description="The ways: `percent`, `name` and `steps` each. The percents sum to 100."
    )


class RepeatArguments(Written):
    """How often, how long, and what."""

    every: Length = Field(description="How long to wait between two passes, like `7 days`.")
    times: Annotated[int, Field(ge=1, le=1_000)] | None = Field(None, description="How many passes.")
    until: Condition | None = Field(None, description="No further pass once this holds.")
    steps: Steps = Field(description="What happens in each pass.")


class RepeatStep(StepKeys):
    """Do the same several times."""

    repeat: RepeatArguments = Field(description="`every`, `times` or `until`, and the steps.")


class IncludeStep(StepKeys):
    """Do what a block says: steps that journeys share."""

    include: Annotated[IncludeArguments, long_form("block")] = Field(
        description="The block, like `blocks/reminder`, or `{block, with}`."
    )
    _body: Steps = PrivateAttr(default=())

    @property
    def body(self) -> Steps:
        """The steps of the block; none before it was found."""
        return self._body

    def fill(self, body: Steps) -> None:
        """Say what the block's steps are, once they are known."""
        self._body = body


class StopStep(StepKeys):
    """End the run."""

    stop: Text = Field(description="Why, for the reports: `booked`.")


class WebhookStep(NamedResult):
    """Call another system over the web; its answer is there from here on."""

    webhook: Webhook = Field(description="Where to, and what to say: `{url, method, headers, body}`.")


class CallStep(NamedResult):
    """Call a function of extensions.py, which engineers write; its answer is there from here on."""

    call: Call = Field(description="The function, or `{function, with}`.")


class DiscountStep(NamedResult):
    """Issue a discount to the lead: templates after it read its code."""

    discount: DiscountArguments = Field(
        description="What the lead gets, like `{percent: 15, valid: 14 days}`."
    )


class ReferralStep(NamedResult):
    """Give the lead its link and code for bringing friends: templates after it read them."""

    referral: Text = Field(description="The program, as `referrals` in dripline.yaml calls it.")


class NotifyStep(StepKeys):
    """Tell a colleague something about the lead. The lead learns nothing of it."""

    notify: Notice = Field(description="Whom: `owner`, a person of dripline.yaml, an address or a number.")
    template: TemplateName | None = Field(None, description="A template under templates/.")
    text: Text | None = Field(None, description="The message itself; may hold `{{ … }}`.")
    subject: Text | None = Field(None, description="The subject (e-mail only); may hold `{{ … }}`.")

    @model_validator(mode="after")
    def _one_message(self) -> NotifyStep:
        for key in ("template", "text", "subject"):
            if getattr(self, key) is not None and getattr(self.notify, key) is not None:
                raise wrong("duplicate-key", f"`{key}` is said twice", "keep one of the two", key=key)
        said = self.said
        if said.template is None and said.text is None:
            raise wrong("missing-key", "it is not said what to tell", "add `text: …` or `template: …`")
        if said.template is not None and said.text is not None:
            raise wrong("two-kinds", "there is a `template` and a `text`", "keep one of the two")
        return self

    @property
    def said(self) -> NoticeArguments:
        """Whom to tell and what, wherever it stands."""
        said = {
            key: getattr(self, key) or getattr(self.notify, key) for key in ("template", "text", "subject")
        }
        return NoticeArguments(to=self.notify.to, **said)


def _reminder(value: Any) -> Any:
    return _one_message({"email": value} if isinstance(value, str) else value)


class RemindArguments(Written):
    """What to remember, how often, and until when."""

    about: Text = Field(
        description="What the lead wants later, in your words; its owner reads it on the day."
    )
    every: Length = Field(description="How often to keep in touch, like `1 month`.")
    until: Condition | None = Field(None, description="The day, like `event.call_me_on`.")
    for_: Length | None = Field(
        None, alias="for", description="How long, like `6 months`, instead of `until`."
    )
    unless: Events | None = Field(None, description="Events that stop it at once.")
    unless_when: Condition | None = Field(None, description="Only those of `unless` for which this holds.")
    with_: Reminder | None = Field(
        None, alias="with", description="The light message: an e-mail's template, or `{sms: …}`."
    )
    on_day: Reminder | None = Field(None, description="The message on the day: a template, or `{sms: …}`.")

    @model_validator(mode="after")
    def _sound(self) -> RemindArguments:
        if (self.until is None) == (self.for_ is None):
            raise wrong("missing-key", "it is not said until when", "give one of `until` and `for`")
        if self.unless_when is not None and self.unless is None:
            raise wrong("missing-key", "`unless_when` has no `unless`", "add `unless`", key="unless_when")
        if self.every == Duration():
            raise wrong("out-of-range", "`every` is no time at all", "write it like `1 month`", key="every")
        return self


class RemindStep(NamedResult):
    """Keep in touch until the day that the lead has named; on the day, tell the lead and its owner."""

    remind: RemindArguments = Field(description="What about, how often, until when: `{about, every, until}`.")


class SurveyArguments(Written):
    """What is asked, by which message, and how long the answer is waited for."""

    ask: Text = Field(description="The survey, by its name under `surveys` in dripline.yaml.")
    email: Asking | None = Field(
        None, description="The e-mail that asks: a template, or a mapping as in a step; it reads `survey`."
    )
    sms: AskingBySms | None = Field(None, description="The text message that asks, instead of an e-mail.")
    timeout: Length = Field(description="How long the answer is waited for, like `7 days`.")

    @model_validator(mode="after")
    def _one_message(self) -> SurveyArguments:
        if (self.email is None) == (self.sms is None):
            hint = "give one of `email` and `sms`; `fallback` says what goes where it cannot be sent"
            raise wrong("missing-key", "it is not said by which message", hint)
        return self

    @property
    def message(self) -> tuple[str, Steps]:
        """The channel, and the message as a step."""
        if self.email is not None:
            return "email", self.email
        assert self.sms is not None
        return "sms", self.sms


class SurveyStep(NamedResult):
    """Ask the lead something, and wait for the answer: a click in the e-mail, or a reply to the text message."""

    survey: SurveyArguments = Field(description="What to ask, and how: `{ask, email or sms, timeout}`.")
    then: Steps | None = Field(None, description="What to do when the lead has answered.")
    else_: Steps | None = Field(
        None, alias="else", description="What to do when it has not, or could not be asked."
    )


VERBS: dict[str, type[StepKeys]] = {
    "email": EmailStep,
    "sms": SmsStep,
    "delay": DelayStep,
    "delay_until": DelayUntilStep,
    "wait_for": WaitForStep,
    "branch": BranchStep,
    "split": SplitStep,
    "repeat": RepeatStep,
    "update": UpdateStep,
    "set": SetStep,
    "include": IncludeStep,
    "enroll": EnrollStep,
    "unenroll": UnenrollStep,
    "stop": StopStep,
    "webhook": WebhookStep,
    "call": CallStep,
    "discount": DiscountStep,
    "referral": ReferralStep,
    "assign": AssignStep,
    "task": TaskStep,
    "notify": NotifyStep,
    "remind": RemindStep,
    "survey": SurveyStep,
}
"""The class of each verb."""


def _one_verb(value: Any) -> Any:
    if isinstance(value, str):
        hint = f"write `- {value}: …`" if value in VERBS else "write `- VERB: …`"
        raise wrong("wrong-type", "a step is a mapping", hint)
    if not isinstance(value, dict):
        raise wrong("wrong-type", "a step is a mapping with one verb", "write `- email: welcome/hello`")
    verbs = [key for key in value if key in VERBS]
    if len(verbs) > 1:
        raise wrong(
            "two-verbs",
            f"a step has one verb, here are {listed(verbs)}",
            "make two steps of it",
            key=verbs[1],
        )
    if not verbs:
        common = {key for model in VERBS.values() for key in model.known_keys()} - VERBS.keys()
        odd = next((key for key in value if key not in common), None)
        if odd is None:
            raise wrong("no-verb", "this step has no verb", f"there are {listed(VERBS)}")
        hint = did_you_mean(odd, VERBS) or f"there are {listed(VERBS)}"
        raise wrong("unknown-verb", f"there is no verb `{odd}`", hint, key=odd)
    return value


def _verb(value: Any) -> str | None:
    return next((f"<{verb}>" for verb in VERBS if verb in value), None) if isinstance(value, dict) else None


Step = Annotated[
    Annotated[EmailStep, Tag("<email>")]
    | Annotated[SmsStep, Tag("<sms>")]
    | Annotated[DelayStep, Tag("<delay>")]
    | Annotated[DelayUntilStep, Tag("<delay_until>")]
    | Annotated[WaitForStep, Tag("<wait_for>")]
    | Annotated[BranchStep, Tag("<branch>")]
    | Annotated[SplitStep, Tag("<split>")]
    | Annotated[RepeatStep, Tag("<repeat>")]
    | Annotated[UpdateStep, Tag("<update>")]
    | Annotated[SetStep, Tag("<set>")]
    | Annotated[IncludeStep, Tag("<include>")]
    | Annotated[EnrollStep, Tag("<enroll>")]
    | Annotated[UnenrollStep, Tag("<unenroll>")]
    | Annotated[StopStep, Tag("<stop>")]
    | Annotated[WebhookStep, Tag("<webhook>")]
    | Annotated[CallStep, Tag("<call>")]
    | Annotated[DiscountStep, Tag("<discount>")]
    | Annotated[ReferralStep, Tag("<referral>")]
    | Annotated[AssignStep, Tag("<assign>")]
    | Annotated[TaskStep, Tag("<task>")]
    | Annotated[NotifyStep, Tag("<notify>")]
    | Annotated[RemindStep, Tag("<remind>")]
    | Annotated[SurveyStep, Tag("<survey>")],
    Discriminator(_verb),
    BeforeValidator(_one_verb),
]
Steps = Annotated[tuple[Step, ...], Field(min_length=1, max_length=500)]
_ONE_MESSAGE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
    "properties": {
        "email": {
            "description": "An e-mail's template, or a mapping as in a step.",
            "type": ["string", "object"],
        },
        "sms": {"description": "An SMS's template, or a mapping as in a step.", "type": ["string", "object"]},
    },
}
"""A message where a step has room for one, as far as a schema can tell."""
Fallback = Annotated[
    tuple[Step, ...],
    BeforeValidator(_one_message),
    Field(min_length=1, max_length=1),
    WithJsonSchema(_ONE_MESSAGE),
]
Reminder = Annotated[
    tuple[Step, ...],
    BeforeValidator(_reminder),
    Field(min_length=1, max_length=1),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^[a-z0-9]"}, _ONE_MESSAGE]}),
]


def _by_email(value: Any) -> Any:
    return value if isinstance(value, tuple) else [{"email": value}]


def _by_sms(value: Any) -> Any:
    return value if isinstance(value, tuple) else [{"sms": value}]


_A_MESSAGE = WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^[a-z0-9]"}, {"type": "object"}]})
Asking = Annotated[
    tuple[Step, ...], BeforeValidator(_by_email), Field(min_length=1, max_length=1), _A_MESSAGE
]
AskingBySms = Annotated[
    tuple[Step, ...], BeforeValidator(_by_sms), Field(min_length=1, max_length=1), _A_MESSAGE
]

for _model in (
    SurveyArguments,
    SurveyStep,
    RemindArguments,
    RemindStep,
    MessageArguments,
    EmailStep,
    SmsStep,
    WaitForStep,
    WhenArm,
    ElseArm,
    BranchStep,
    SplitArm,
    SplitStep,
    RepeatArguments,
    RepeatStep,
):
    _model.model_rebuild()
