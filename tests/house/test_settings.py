"""Settings that would break a promise are refused at the start."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dripline.settings import Settings


@pytest.mark.parametrize("port", [-1, 0, 65_536, 99_999])
def test_a_port_that_no_machine_has_is_refused(port: int) -> None:
    with pytest.raises(ValidationError):
        Settings(port=port)


@pytest.mark.parametrize(("http_timeout", "lease"), [(10, 11), (30, 20), (10, 45), (5, -1)])
def test_a_lease_that_a_send_could_outlive_is_refused(http_timeout: float, lease: float) -> None:
    with pytest.raises(ValidationError):
        Settings(http_timeout=http_timeout, lease=lease)
