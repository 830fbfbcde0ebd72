"""A journey in plain sentences, for whoever has to know what it does and does not read YAML."""

from __future__ import annotations

from dripline.explaining.armenian import ARMENIAN
from dripline.explaining.english import ENGLISH
from dripline.explaining.outline import Explanation, Line, Section, explain
from dripline.explaining.phrases import Phrases

LANGUAGES: dict[str, Phrases] = {"en": ENGLISH, "hy": ARMENIAN}
"""By locale, what journeys are explained with."""

__all__ = ["ENGLISH", "LANGUAGES", "Explanation", "Line", "Phrases", "Section", "explain"]
