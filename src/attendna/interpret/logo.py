"""Mutagenesis as a picture: letters as tall as their base is important, over a heat map of changes.

The picture is one SVG file, drawn from plain shapes, so that it needs no font and no script.

Shapes: ``N`` sequences, ``L`` bases of one sequence or of the longest.
"""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from attendna.interpret.letters import INK, TITLE, letter, picture
from attendna.interpret.mutagenesis import BASES, Mutagenesis

_GAIN, _LOSS = "#2c7fbf", "#d55e00"

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
    styles = f".title{{{TITLE}}}.base{{font-size:7px;text-anchor:end}}"
    return picture(width, height, parts, styles)


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
    # All lines of a sequence have one scale.
    unit = _LOGO / ((highest - lowest) or 1.0)
    axis = y + highest * unit
    for place, (code, value) in enumerate(zip(codes.tolist(), values.tolist(), strict=True)):
        size = abs(value) * unit
        if size < 0.3 or code >= len(BASES):
            continue
        x = _LEFT + place * _CELL
        # Letters that speak against the class hang down, head first.
        yield letter(BASES[code], x, axis, _CELL, size if value > 0 else -size)
    end = _LEFT + codes.size * _CELL
    yield f'<path d="M{_LEFT} {axis:.1f}H{end:.1f}" stroke="{INK}" stroke-width=".6"/>'
    yield f'<text x="{_LEFT - 6}" y="{y + 9:.0f}" text-anchor="end">{highest:.2f}</text>'
    heat = y + _LOGO + 8
    for place in np.flatnonzero(truth).tolist():
        yield (
            f'<rect x="{_LEFT + place * _CELL:.1f}" y="{heat - 5:.1f}" width="{_CELL}" height="3" '
            f'fill="{INK}"/>'
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
