"""The icons of the verbs: strokes within a square of 24 by 24."""

from __future__ import annotations

from collections.abc import Mapping

from dripline.drawing.faces import Icon

PATHS: Mapping[Icon, str] = {
    "email": "M3 6h18v12H3z M3 7l9 7 9-7",
    "sms": "M4 5h16v11H11l-5 4v-4H4z M8 9h8 M8 12h5",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 7v5l4 2",
    "calendar": "M4 6h16v14H4z M4 10h16 M8 3v5 M16 3v5 M9 15l2 2 4-4",
    "ear": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 12h.01",
    "fork": "M12 3v6 M12 9c0 5-6 3-6 9v3 M12 9c0 5 6 3 6 9v3",
    "dice": "M4 4h16v16H4z M8.5 8.5h.01 M15.5 8.5h.01 M12 12h.01 M8.5 15.5h.01 M15.5 15.5h.01",
    "loop": "M5 12a7 7 0 0 1 12-5l3 3 M20 5v5h-5 M19 12a7 7 0 0 1-12 5l-3-3 M4 19v-5h5",
    "pencil": "M4 20l1-5L16 4l4 4L9 19z M14 6l4 4",
    "person": "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M4 21c0-4 3.5-6.5 8-6.5s8 2.5 8 6.5",
    "enter": "M13 4h7v16h-7 M3 12h11 M10 8l4 4-4 4",
    "leave": "M11 4H4v16h7 M10 12h11 M17 8l4 4-4 4",
    "flag": "M6 21V4 M6 4h12l-3 4 3 4H6",
    "plug": "M9 3v5 M15 3v5 M6 8h12v3a6 6 0 0 1-12 0z M12 17v4",
    "gift": "M4 9h16v4H4z M6 13v8h12v-8 M12 9v12 M12 9c-5 0-5-5-2-5 2 0 2 5 2 5z M12 9c5 0 5-5 2-5-2 0-2 5-2 5z",
    "bell": "M6 17V11a6 6 0 0 1 12 0v6l2 2H4z M10 21h4",
    "heart": "M12 20C5 15 3 11.5 3 8.5A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 9 1.5C21 11.5 19 15 12 20z",
    "block": "M4 4h7v7H4z M13 4h7v7h-7z M4 13h7v7H4z M13 13h7v7h-7z",
    "start": "M13 2L5 14h6l-1 8 9-13h-6z",
    "goal": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M8 12l3 3 5-6",
    "exit": "M11 4H4v16h7 M10 12h11 M17 8l4 4-4 4",
}
"""By name, the path's data."""

COLOURS: Mapping[Icon, str] = {
    "email": "#0d8f8f",
    "sms": "#0d8f8f",
    "start": "#0d8f8f",
    "clock": "#5576c4",
    "calendar": "#5576c4",
    "ear": "#5576c4",
    "heart": "#5576c4",
    "fork": "#b57a12",
    "dice": "#b57a12",
    "loop": "#b57a12",
    "gift": "#9553b5",
    "plug": "#9553b5",
    "bell": "#9553b5",
    "goal": "#1d8a50",
}
"""By name, a colour that can be read on light and on dark; the others have the text's."""
