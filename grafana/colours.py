"""Colours of filled tiles, and how well white text is read on them.

A word always says the same as the colour, so nobody has to tell colours apart.
"""

CALM, OFF, ATTENTION, ACT = "#2b3542", "#3d4450", "#b35900", "#c4162a"
STALE = "#6b3fa0"
"""Of its own: what is not known is neither calm nor an alarm of the market."""
TILES = {"calm": CALM, "off": OFF, "attention": ATTENTION, "act": ACT, "stale": STALE}
LINES = ("#8ab8ff", "#ff9830", "#96d98d", "#ca95e5")
"""Of charts, on the dark panel."""
WHITE = "#ffffff"
LEAST_CONTRAST = 4.5


def contrast(one: str, other: str) -> float:
    """Contrast of two colours (`#rrggbb`), 1 to 21: WCAG 2.2, relative luminance.

    >>> round(contrast("#ffffff", "#000000"), 2)
    21.0
    """
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
