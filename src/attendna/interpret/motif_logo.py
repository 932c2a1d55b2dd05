"""Motifs as pictures: letters as tall as the information they carry, in bits.

Source: Schneider and Stephens 1990, "Sequence logos".

Shapes: ``w`` bases of a motif.
"""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from attendna.genome.motif import Motif
from attendna.interpret.letters import INK, TITLE, letter, picture

_COLUMNS = 2
_BOX, _LEFT, _TOP, _TALL, _GAP = 430.0, 34.0, 38.0, 84.0, 22.0
_WIDEST = 26.0
_MOST_BITS = 2.0


def information(motif: Motif) -> Float64[ndarray, "w 4"]:
    """Bits of each letter at each place, against equal bases; those of a place sum to 0 to 2."""
    shares = motif.probabilities
    bits = np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
    return shares * (_MOST_BITS + (shares * bits).sum(axis=1, keepdims=True))


def draw_motifs(motifs: Sequence[Motif], notes: Sequence[str]) -> str:
    """SVG text of some motifs, two in a row, each with a note below its name."""
    parts: list[str] = []
    tall = _TOP + _TALL + _GAP
    for place, (motif, note) in enumerate(zip(motifs, notes, strict=True)):
        x, y = place % _COLUMNS * _BOX, place // _COLUMNS * tall
        parts += _motif(motif, note, x + _LEFT, y)
    rows = -(-len(motifs) // _COLUMNS)
    styles = f".title{{{TITLE}}}.scale{{font-size:8px;text-anchor:end}}"
    return picture(_COLUMNS * _BOX + 10, rows * tall + 6, parts, styles)


def _motif(motif: Motif, note: str, left: float, top: float) -> Iterator[str]:
    yield f'<text x="{left}" y="{top + 17:.0f}" class="title">{escape(motif.name)}</text>'
    yield f'<text x="{left}" y="{top + 31:.0f}">{escape(note)}</text>'
    head, foot = top + _TOP, top + _TOP + _TALL
    width = min(_WIDEST, (_BOX - _LEFT - 14) / len(motif))
    for place, bits in enumerate(information(motif)):
        base_of, x = foot, left + place * width
        # The rarest letter stands lowest.
        for base in np.argsort(bits, kind="stable").tolist():
            height = float(bits[base]) / _MOST_BITS * _TALL
            if height > 0.3:
                yield letter("ACGT"[base], x, base_of, round(width, 2), height)
                base_of -= height
    end = left + len(motif) * width
    yield f'<path d="M{left} {head:.1f}V{foot:.1f}H{end:.1f}" fill="none" stroke="{INK}"/>'
    yield f'<text x="{left - 4}" y="{head + 6:.1f}" class="scale">2 bits</text>'
    yield f'<text x="{left - 4}" y="{foot:.1f}" class="scale">0</text>'
