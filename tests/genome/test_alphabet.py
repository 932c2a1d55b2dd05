"""Letters, codes and packed bases against references that take one base at a time."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attendna.genome import alphabet
from attendna.genome.alphabet import (
    LetterError,
    N,
    complement,
    decode,
    decode_ascii,
    encode,
    one_hot,
    pack,
    reverse_complement,
    unpack,
)

some_codes = hnp.arrays(np.uint8, st.integers(0, 70), elements=st.integers(0, 4))
IUPAC = "ACGTUNRYSWKMBDHVX"


@pytest.fixture(autouse=True, scope="module", params=[8, alphabet._BLOCK], ids=["small", "usual"])
def _block(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything is tested with blocks so small that short sequences cross their borders, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alphabet, "_BLOCK", request.param)
        yield


@given(st.text(IUPAC + IUPAC.lower(), max_size=70))
def test_encode_reads_each_letter_by_itself(text: str) -> None:
    known = {"A": 0, "C": 1, "G": 2, "T": 3, "U": 3}
    expected = [known.get(letter.upper(), 4) for letter in text]
    assert encode(text).tolist() == expected
    assert encode(text.encode()).tolist() == expected
    assert encode(np.frombuffer(text.encode(), np.uint8)).tolist() == expected


@given(some_codes)
def test_decode_undoes_encode(codes: np.ndarray) -> None:
    text = decode(codes)
    assert text == "".join("ACGTN"[code] for code in codes)
    assert encode(text).tolist() == codes.tolist()
    assert encode(text.lower(), "error").tolist() == codes.tolist()
    assert decode_ascii(codes).tobytes() == text.encode()


@pytest.mark.parametrize("position", [0, 1, 7, 8, 20])
@pytest.mark.parametrize(
    "letter", ["-", "*", ">", "?", " ", "\n", "\x00", "\xff", "é", "Ω", "J", "E"]
)
def test_what_is_no_iupac_letter_is_refused_with_its_place(letter: str, position: int) -> None:
    text = "ACGTNACGTNACGTNACGTNACGTN"
    text = text[:position] + letter + text[position:] + letter
    for policy in ("unknown", "error"):
        with pytest.raises(LetterError) as caught:
            encode(text, policy)
        assert (caught.value.letter, caught.value.position) == (letter, position)
        assert f"at position {position + 1}" in str(caught.value)


@pytest.mark.parametrize("letter", "RYSWKMBDHVXryswkmbdhvx")
def test_ambiguity_letters_follow_the_policy(letter: str) -> None:
    assert encode(f"A{letter}").tolist() == [0, 4]
    with pytest.raises(LetterError, match="read ambiguity letters as N"):
        encode(f"A{letter}", "error")


def test_every_byte_is_either_read_or_refused() -> None:
    for byte in range(256):
        letter = chr(byte)
        if letter.upper() in IUPAC:
            assert encode(bytes([byte])).size == 1
        else:
            with pytest.raises(LetterError) as caught:
                encode(bytes([byte]))
            assert caught.value.letter == letter


def test_the_first_refused_of_a_long_text_is_named() -> None:
    position = 2 * alphabet._BLOCK + 1
    text = "A" * position + "!" + "C" * alphabet._BLOCK + "?"
    with pytest.raises(LetterError) as caught:
        encode(text)
    assert (caught.value.letter, caught.value.position) == ("!", position)


@given(some_codes)
def test_reverse_complement_pairs_the_bases_from_the_end(codes: np.ndarray) -> None:
    pairs = {0: 3, 1: 2, 2: 1, 3: 0, 4: 4}
    assert complement(codes).tolist() == [pairs[code] for code in codes.tolist()]
    assert reverse_complement(codes).tolist() == [pairs[code] for code in codes.tolist()[::-1]]


@given(some_codes, some_codes)
def test_reverse_complement_is_an_involution_and_turns_joins_round(
    left: np.ndarray, right: np.ndarray
) -> None:
    assert reverse_complement(reverse_complement(left)).tolist() == left.tolist()
    joined = reverse_complement(np.concatenate([left, right]))
    apart = np.concatenate([reverse_complement(right), reverse_complement(left)])
    assert joined.tolist() == apart.tolist()


def test_strides_and_shapes_of_the_input_do_not_matter() -> None:
    codes = np.arange(120, dtype=np.uint8) % 5
    for view in (codes[::-1], codes[::3], codes[1:], codes[3:-2]):
        copy = view.copy()
        assert decode(view) == decode(copy)
        assert reverse_complement(view).tolist() == reverse_complement(copy).tolist()
        assert one_hot(view).tolist() == one_hot(copy).tolist()
        assert unpack(pack(view)).tolist() == copy.tolist()
    table = codes.reshape(3, 40)
    assert complement(table.T).tolist() == complement(table).T.tolist()


def test_nothing_is_written_to_the_input() -> None:
    codes = np.frombuffer(bytes([0, 1, 2, 3, 4] * 9), dtype=np.uint8)
    for function in (decode, complement, reverse_complement, one_hot, pack):
        function(codes)
    assert codes.tolist() == [0, 1, 2, 3, 4] * 9


@given(some_codes)
def test_one_hot_has_a_one_in_the_row_of_the_base(codes: np.ndarray) -> None:
    hot = one_hot(codes)
    assert hot.tolist() == [[int(code == base) for code in codes] for base in range(4)]


runs_of_codes = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 13)), max_size=12).map(
    lambda runs: np.repeat(
        np.array([code for code, _ in runs], dtype=np.uint8), [count for _, count in runs]
    )
)


@given(some_codes | runs_of_codes)
def test_unpack_undoes_pack(codes: np.ndarray) -> None:
    bases = pack(codes)
    assert unpack(bases).tolist() == codes.tolist()
    assert bases.length == codes.size
    assert bases.packed.size == -(-codes.size // 4)


@given(runs_of_codes)
def test_packed_bytes_and_runs_are_what_they_say(codes: np.ndarray) -> None:
    bases = pack(codes)
    for position, code in enumerate(codes.tolist()):
        value = bases.packed[position // 4] >> 2 * (position % 4) & 3
        assert value == (0 if code == N else code)
    runs, inside = [], False
    for position, code in enumerate([*codes.tolist(), 0]):
        if code == N and not inside:
            runs.append([position, position])
        inside = code == N
        if inside:
            runs[-1][1] = position + 1
    assert bases.n_runs.tolist() == runs


def test_long_buffers_survive_every_function() -> None:
    block = alphabet._BLOCK
    size = 2 * block + 1_003
    codes = np.random.default_rng(7).integers(0, 4, size, dtype=np.uint8)
    codes[block - 3 : block + 500] = N
    pairs = np.array([3, 2, 1, 0, 4], dtype=np.uint8)
    assert np.array_equal(encode(decode(codes)), codes)
    assert np.array_equal(reverse_complement(codes), pairs[codes[::-1]])
    assert np.array_equal(one_hot(codes), codes == np.arange(4)[:, None])
    bases = pack(codes)
    assert bases.n_runs.tolist() == [[block - 3, block + 500]]
    assert np.array_equal(unpack(bases), codes)
