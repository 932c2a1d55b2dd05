import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from attendna.genome.motif import Motif
from attendna.interpret.motif_logo import draw_motifs, information

SVG = "{http://www.w3.org/2000/svg}"


def test_certain_bases_carry_two_bits_and_even_ones_none() -> None:
    bits = information(Motif.from_consensus("motif", "ARN"))
    assert bits[0] == pytest.approx([2, 0, 0, 0])
    assert bits[1] == pytest.approx([0.5, 0, 0.5, 0])
    assert bits[2] == pytest.approx([0] * 4)


def test_letters_stand_on_each_other_the_likeliest_on_top() -> None:
    shares = np.array([[0.7, 0.1, 0.0, 0.2], [0.0, 0.0, 1.0, 0.0]])
    others = [Motif.from_consensus(f"<{number}>", "ACGT") for number in range(2)]
    svg = draw_motifs([Motif("first & only", shares), *others], ["note"] * 3)
    root = ET.fromstring(svg)
    uses = list(root.iter(f"{SVG}use"))
    assert [use.attrib["href"] for use in uses[:4]] == ["#C", "#T", "#A", "#G"]
    places = [re.findall(r"[-\d.]+", use.attrib["transform"]) for use in uses]
    tops, heights = ([float(place[at]) for place in places[:4]] for at in (1, 3))
    # Each letter ends where the next begins, and a certain base fills the whole height.
    assert tops[0] == pytest.approx(tops[1] + heights[1], abs=0.02)
    assert tops[1] == pytest.approx(tops[2] + heights[2], abs=0.02)
    assert heights[3] == pytest.approx(84)
    assert tops[3] + heights[3] == pytest.approx(tops[0] + heights[0], abs=0.02)
    titles = [text.text for text in root.iter(f"{SVG}text") if text.attrib.get("class") == "title"]
    assert titles == ["first & only", "<0>", "<1>"]
