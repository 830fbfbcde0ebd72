"""An address as a picture that phones scan (QR code, ISO/IEC 18004)."""

from __future__ import annotations

import io

import segno

BORDER = 4
"""Modules of white around it, as the standard asks."""


def qr_png(text: str, scale: int = 8) -> bytes:
    """The picture as PNG, each module so many pixels wide. Legible with 15 % of it covered."""
    picture = io.BytesIO()
    _code(text).save(picture, kind="png", scale=scale, border=BORDER)
    return picture.getvalue()


def qr_svg(text: str) -> str:
    """The picture as SVG, without a size of its own, black on white whatever stands around it."""
    picture = io.BytesIO()
    _code(text).save(
        picture, kind="svg", border=BORDER, light="white", omitsize=True, xmldecl=False, svgclass=None
    )
    return picture.getvalue().decode()


def _code(text: str) -> segno.QRCode:
    return segno.make(text, micro=False, error="m")


__all__ = ["qr_png", "qr_svg"]
