"""Mutagenesis as a picture: letters as tall as their base is important, over a heat map of changes.

The picture is one SVG file, drawn from plain shapes, so that it needs no font and no script.

Shapes: ``N`` sequences, ``L`` bases of one sequence or of the longest.
"""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from attendna.genome.alphabet import LETTERS
from attendna.interpret.mutagenesis import BASES, Mutagenesis

_COLORS = dict(zip(LETTERS, ("#0a9673", "#2c7fbf", "#c07f00", "#d55e00", "#7d8894"), strict=True))
_GAIN, _LOSS = "#2c7fbf", "#d55e00"
_INK = "#3b4550"

# Outlines in a box of 1 x 1 with the origin at the upper left.
_OUTLINES = {
    "A": "M0 1L.39 0H.61L1 1H.79L.7.76H.3L.21 1ZM.36.59H.64L.5.2Z",
    "C": "M1 .31A.5.5 0 0 0 .52 0C.2 0 0 .22 0 .5S.2 1 .52 1A.5.5 0 0 0 1 .69L.8.62"
    "A.28.3 0 0 1 .53.82C.34.82.22.69.22.5S.34.18.53.18A.28.3 0 0 1 .8.38Z",
    "G": "M1 .3A.5.5 0 0 0 .53 0C.2 0 0 .22 0 .5S.2 1 .54 1C.74 1 .9.94 1 .86V.46H.54V.63H.79V.76"
    "A.42.42 0 0 1 .56.82C.35.82.22.69.22.5S.34.18.54.18A.28.3 0 0 1 .79.37Z",
    "T": "M0 0H1V.18H.61V1H.39V.18H0Z",
}

_CELL = 9.0
_LOGO = 64.0
_ROW = 7.0
_LINE = 100
"""Bases a line holds before the picture goes on below."""
_LEFT, _TOP, _GAP = 46.0, 26.0, 22.0


def draw(
    result: Mutagenesis,
    rows: Sequence[int],
    truth: Bool[ndarray, "N L"] | None = None,
) -> str:
    """SVG text of some sequences of a result, one below the other.

    Parameters
    ----------
    rows
        Which sequences.
    truth
        The bases of each sequence that are known to matter; they are marked below their letters.
    """
    parts: list[str] = []
    height = _TOP / 2
    widest = 0
    for row in rows:
        codes = result.sequences[row]
        known = np.zeros(codes.size, dtype=np.bool_) if truth is None else truth[row, : codes.size]
        title = f"{result.ids[row]}   log-odds of {result.classes[row]} {result.log_odds[row]:+.2f}"
        parts.append(
            f'<text x="{_LEFT}" y="{height + 12:.0f}" class="title">{escape(title)}</text>'
        )
        height += _TOP
        changes = result.changes[row, : codes.size]
        importance = result.importance()[row, : codes.size]
        for start in range(0, codes.size, _LINE):
            line = slice(start, start + _LINE)
            parts += _line(
                codes[line],
                importance[line],
                changes[line],
                known[line],
                start=start,
                y=height,
                highest=max(float(np.nanmax(importance, initial=0)), 0.0),
                lowest=min(float(np.nanmin(importance, initial=0)), 0.0),
                largest=float(np.nanmax(np.abs(changes), initial=0)) or 1.0,
            )
            height += _LOGO + 4 * _ROW + _GAP
        widest = max(widest, min(codes.size, _LINE))
    width = _LEFT + widest * _CELL + 20
    symbols = "".join(
        f'<path id="{base}" d="{outline}" fill="{_COLORS[base]}" fill-rule="evenodd"/>'
        for base, outline in _OUTLINES.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><style>text{{font:10px system-ui,sans-serif;'
        f"fill:{_INK}}}.title{{font-weight:600;font-size:12px}}"
        f".base{{font-size:7px;text-anchor:end}}</style><defs>{symbols}</defs>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _line(
    codes: UInt8[ndarray, " L"],
    importance: Float32[ndarray, " L"],
    changes: Float32[ndarray, "L 4"],
    truth: Bool[ndarray, " L"],
    *,
    start: int,
    y: float,
    highest: float,
    lowest: float,
    largest: float,
) -> Iterator[str]:
    """One line of letters with its heat map, axis and marks."""
    values = np.nan_to_num(importance)
    # All lines of a sequence have one scale; letters that speak against the class hang down.
    unit = _LOGO / ((highest - lowest) or 1.0)
    axis = y + highest * unit
    for place, (code, value) in enumerate(zip(codes.tolist(), values.tolist(), strict=True)):
        size = abs(value) * unit
        if size < 0.3 or code >= len(BASES):
            continue
        x = _LEFT + place * _CELL
        flip = f"translate({x:.1f} {axis - size:.2f}) scale({_CELL} {size:.2f})"
        if value < 0:
            flip = f"translate({x:.1f} {axis + size:.2f}) scale({_CELL} {-size:.2f})"
        yield f'<use href="#{BASES[code]}" transform="{flip}"/>'
    end = _LEFT + codes.size * _CELL
    yield f'<path d="M{_LEFT} {axis:.1f}H{end:.1f}" stroke="{_INK}" stroke-width=".6"/>'
    yield f'<text x="{_LEFT - 6}" y="{y + 9:.0f}" text-anchor="end">{highest:.2f}</text>'
    heat = y + _LOGO + 8
    for place in np.flatnonzero(truth).tolist():
        yield (
            f'<rect x="{_LEFT + place * _CELL:.1f}" y="{heat - 5:.1f}" width="{_CELL}" height="3" '
            f'fill="{_INK}"/>'
        )
    for b, base in enumerate(BASES):
        row = heat + b * _ROW
        yield f'<text x="{_LEFT - 6}" y="{row + 6:.1f}" class="base">{base}</text>'
        for place, change in enumerate(changes[:, b].tolist()):
            strength = abs(change) / largest
            if strength > 0.02:
                yield (
                    f'<rect x="{_LEFT + place * _CELL:.1f}" y="{row:.1f}" width="{_CELL}" '
                    f'height="{_ROW}" fill="{_GAIN if change > 0 else _LOSS}" '
                    f'fill-opacity="{strength:.2f}"/>'
                )
    for place in range(-start % 10, codes.size, 10):
        x = _LEFT + (place + 0.5) * _CELL
        yield f'<text x="{x:.1f}" y="{heat + 4 * _ROW + 10:.0f}" text-anchor="middle">'
        yield f"{start + place}</text>"
