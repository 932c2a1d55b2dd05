from xml.etree import ElementTree as ET

from attendna.interpret.letters import letter, picture

SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_holds_the_letters_it_uses() -> None:
    parts = [letter("G", 3.0, 20.0, 9.0, 4.0), letter("A", 3.0, 20.0, 9.0, -4.0)]
    root = ET.fromstring(picture(50.0, 30.0, parts, ".title{fill:red}"))
    shapes = {path.attrib["id"] for path in root.iter(f"{SVG}path")}
    assert shapes == set("ACGT")
    stands, hangs = root.iter(f"{SVG}use")
    assert stands.attrib["transform"] == "translate(3.0 16.00) scale(9.0 4.00)"
    assert hangs.attrib["transform"] == "translate(3.0 24.00) scale(9.0 -4.00)"
    assert root.attrib["viewBox"] == "0 0 50 30"
