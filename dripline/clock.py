"""The house clock: business time as a linear map of machine time, the same in every process.

Everything that a journey means ("in 2 days") is in house time; leases, retries and anything else that is
about machines is in machine time. At rate 1 and with no offset the two are equal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class HouseClock:
    """House time = `house_epoch` + (machine time - `machine_epoch`) * `rate`. All times are aware, in UTC."""

    machine_epoch: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    house_epoch: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    rate: float = 1.0

    def to_house(self, machine: datetime) -> datetime:
        """Business time at a machine time."""
        if self.rate == 1.0 and self.machine_epoch == self.house_epoch:
            return machine
        return self.house_epoch + (machine - self.machine_epoch) * self.rate

    def to_machine(self, house: datetime) -> datetime:
        """Machine time at a business time, rounded up to the microsecond."""
        if self.rate == 1.0 and self.machine_epoch == self.house_epoch:
            return house
        machine = self.machine_epoch + (house - self.house_epoch) / self.rate
        return machine if self.to_house(machine) >= house else machine + timedelta(microseconds=1)

    def at_rate(self, rate: float, machine: datetime) -> HouseClock:
        """The same clock going on at another rate from `machine` on: house time never jumps."""
        return HouseClock(machine_epoch=machine, house_epoch=self.to_house(machine), rate=rate)


MachineClock = Callable[[], datetime]
"""Tells the machine's time, aware, in UTC. An argument everywhere, so that tests can skew it."""


def machine_clock() -> datetime:
    """The machine's time now (UTC)."""
    return datetime.fromtimestamp(time.time(), tz=UTC)
