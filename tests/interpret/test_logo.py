"""The picture, read back as XML."""

import re
from xml.etree import ElementTree as ET

import numpy as np

from attendna.genome.sequences import SequenceBatch
from attendna.interpret.logo import draw
from attendna.interpret.mutagenesis import Mutagenesis

SVG = "{http://www.w3.org/2000/svg}"


def result(text: str, importance: list[float], name: str = "a") -> Mutagenesis:
    """Changes of one sequence that come to this importance: all of it in the substitution by A, or
    by C where the base is A."""
    batch = SequenceBatch.from_text([text])
    changes = np.zeros((1, len(text), 4), dtype=np.float32)
    for place, (base, value) in enumerate(zip(text, importance, strict=True)):
        changes[0, place] = np.nan if base == "N" else 0
        if base != "N":
            changes[0, place, 1 if base == "A" else 0] = -3 * value
    return Mutagenesis((name,), batch, ("bound",), np.array([1.5], np.float32), changes, "run")


def letters(svg: str) -> list[tuple[str, float]]:
    """Letters of the picture with their signed heights."""
    found = []
    for use in ET.fromstring(svg).iter(f"{SVG}use"):
        height = re.search(r"scale\(\S+ (\S+)\)", use.attrib["transform"])
        assert height
        found.append((use.attrib["href"][1:], float(height[1])))
    return found


def test_letters_are_as_tall_as_their_bases_are_important() -> None:
    drawn = letters(draw(result("ACGTN", [1.0, 0.5, -0.25, 0.0, 0.0]), [0]))
    assert [letter for letter, _ in drawn] == ["A", "C", "G"]
    heights = [height for _, height in drawn]
    assert heights[0] > 0
    assert np.allclose(np.array(heights) / heights[0], [1, 0.5, -0.25], atol=0.01)


def test_long_sequences_go_on_below_on_one_scale() -> None:
    text, importance = "A" * 250, [0.2] * 249 + [1.0]
    svg = draw(result(text, importance), [0])
    drawn = letters(svg)
    assert len(drawn) == 250
    assert np.isclose(drawn[0][1] / drawn[-1][1], 0.2, atol=0.01)
    width = float(ET.fromstring(svg).attrib["width"])
    assert width < 1100


def test_known_bases_are_marked_and_names_are_text() -> None:
    one = result("ACGT", [1, 1, 1, 1], name="<b>&")
    marked = np.array([[False, True, True, False]])
    plain, with_truth = draw(one, [0]), draw(one, [0], marked)
    assert with_truth.count("<rect") == plain.count("<rect") + 2
    titles = [text.text for text in ET.fromstring(plain).iter(f"{SVG}text")]
    assert titles[0] == "<b>&   log-odds of bound +1.50"


def test_a_flat_sequence_has_no_letters() -> None:
    assert letters(draw(result("ACGT", [0, 0, 0, 0]), [0])) == []
