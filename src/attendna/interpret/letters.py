"""Letters of bases as shapes, for pictures that need no font and no script."""

from collections.abc import Iterable

COLORS = {"A": "#0a9673", "C": "#2c7fbf", "G": "#c07f00", "T": "#d55e00"}
INK = "#3b4550"
TITLE = "font-weight:600;font-size:12px"
"""Style of the titles in a picture."""

# Outlines in a box of 1 x 1 with the origin at the upper left.
_OUTLINES = {
    "A": "M0 1L.39 0H.61L1 1H.79L.7.76H.3L.21 1ZM.36.59H.64L.5.2Z",
    "C": "M1 .31A.5.5 0 0 0 .52 0C.2 0 0 .22 0 .5S.2 1 .52 1A.5.5 0 0 0 1 .69L.8.62"
    "A.28.3 0 0 1 .53.82C.34.82.22.69.22.5S.34.18.53.18A.28.3 0 0 1 .8.38Z",
    "G": "M1 .3A.5.5 0 0 0 .53 0C.2 0 0 .22 0 .5S.2 1 .54 1C.74 1 .9.94 1 .86V.46H.54V.63H.79V.76"
    "A.42.42 0 0 1 .56.82C.35.82.22.69.22.5S.34.18.54.18A.28.3 0 0 1 .79.37Z",
    "T": "M0 0H1V.18H.61V1H.39V.18H0Z",
}


def letter(base: str, x: float, foot: float, width: float, height: float) -> str:
    """A letter that stands on ``foot``; with a negative height it hangs from there, head first."""
    return (
        f'<use href="#{base}" transform="translate({x:.1f} {foot - height:.2f}) '
        f'scale({width} {height:.2f})"/>'
    )


def picture(width: float, height: float, parts: Iterable[str], styles: str) -> str:
    """The text of an SVG file of some parts, on white."""
    symbols = "".join(
        f'<path id="{base}" d="{outline}" fill="{COLORS[base]}" fill-rule="evenodd"/>'
        for base, outline in _OUTLINES.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><style>text{{font:10px system-ui,sans-serif;'
        f"fill:{INK}}}{styles}</style><defs>{symbols}</defs>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )
