"""Ways in which files come to harm, drawn by a seed."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import yaml

Random = np.random.Generator

_NUMBERS = (
    0,
    1,
    0x7F,
    0xFF,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**63 - 1,
    2**64 - 1,
)
_WORDS = (
    b"-1", b"0", b"1e309", b"nan", b"99999999999999999999999", b"9" * 5000, b"null", b"[]", b"{}",
    b'""', b"true", b"\x00", b"\xff\xfe", b"\t", b"\n", b",", b'"', b"&a [*a]", b"=",
    b"\xef\xbb\xbf", b"[" * 20_000, b'{"a":' * 20_000, b"*" * 50, b"!!python/object:os.system ",
)  # fmt: skip
_VALUES = (
    None, True, -1, 0, 1, 2**31, 2**62, 2**70, 0.5, -0.5, 1e308, float("inf"), float("nan"), "",
    "x", "\x00", "0", "../x", [], {}, [[]], [None], {"": None}, [1, 2], "é" * 9, {"name": "x"},
    [-1], ["a", "a"],
)  # fmt: skip


def truncate(content: bytes, random: Random) -> bytes:
    """What is left of a file whose end did not arrive."""
    if random.random() < 0.2:
        return content[: max(0, len(content) - int(random.integers(1, 40)))]
    return content[: int(random.integers(0, len(content)))]


def mutate(content: bytes, random: Random) -> bytes:
    """A file in which one to three things have gone wrong."""
    for _ in range(int(random.choice([1, 1, 1, 2, 3]))):
        content = _BYTES[int(random.integers(len(_BYTES)))](content, random)
    return content


def _range(content: bytes, random: Random) -> tuple[int, int]:
    start = int(random.integers(0, len(content) + 1))
    return start, min(len(content), start + int(2 ** random.uniform(0, 10)))


def _flip(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 5)) if changed else 0):
        changed[int(random.integers(len(changed)))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _flip_head(content: bytes, random: Random) -> bytes:
    """Headers are short, and decide most."""
    return _flip(content[:128], random) + content[128:]


def _zero(content: bytes, random: Random) -> bytes:
    start, end = _range(content, random)
    return content[:start] + bytes(end - start) + content[end:]


def _duplicate(content: bytes, random: Random) -> bytes:
    start, end = _range(content, random)
    return content[:end] + content[start:end] + content[end:]


def _delete(content: bytes, random: Random) -> bytes:
    start, end = _range(content, random)
    return content[:start] + content[end:]


def _splice(content: bytes, random: Random) -> bytes:
    start, end = _range(content, random)
    place = int(random.integers(0, len(content) + 1))
    return content[:place] + content[start:end] + content[place + end - start :]


def _number(content: bytes, random: Random) -> bytes:
    """A binary number, most often aligned, becomes one at an edge."""
    size = int(random.choice([1, 2, 4, 4, 8]))
    if len(content) < size:
        return content
    reach = 256 if random.random() < 0.5 else len(content)
    place = int(random.integers(0, min(reach, len(content) - size) + 1))
    place -= place % size if random.random() < 0.7 else 0
    number = _NUMBERS[int(random.integers(len(_NUMBERS)))] % (1 << 8 * size)
    order = "little" if random.random() < 0.8 else "big"
    return content[:place] + number.to_bytes(size, order) + content[place + size :]


def _word(content: bytes, random: Random) -> bytes:
    """A text in place of a number, or anywhere."""
    word = _WORDS[int(random.integers(len(_WORDS)))]
    found = list(re.finditer(rb"\d+(\.\d+)?", content[: 1 << 16]))
    if found and random.random() < 0.6:
        start, end = found[int(random.integers(len(found)))].span()
    else:
        start = end = int(random.integers(0, len(content) + 1))
    return content[:start] + word + content[end:]


_BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip, _flip_head, _zero, _duplicate, _delete, _splice, _number, _number, _word,
)  # fmt: skip


def change_tree(tree: Any, random: Random) -> Any:
    """A tree of settings of which one part is another, gone, or called otherwise."""
    places = list(_places(tree))
    if not places:
        return tree
    node, key = places[int(random.integers(len(places)))]
    way = random.random()
    if way < 0.1:
        del node[key]
    elif way < 0.2 and isinstance(node, dict):
        node["unheard_of"] = node.pop(key)
    elif way < 0.3:
        nested: Any = node[key]
        for _ in range(int(random.choice([1, 200]))):
            nested = [nested]
        node[key] = nested
    else:
        node[key] = _VALUES[int(random.integers(len(_VALUES)))]
    return tree


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


def change_json(content: bytes, random: Random) -> bytes:
    return json.dumps(change_tree(json.loads(content), random)).encode()


def change_yaml(content: bytes, random: Random) -> bytes:
    return yaml.safe_dump(change_tree(yaml.safe_load(content), random), sort_keys=False).encode()


def change_header(content: bytes, random: Random) -> bytes:
    """Of safetensors: the table of tensors, or what is ours beside it, with a digest that fits."""
    from attendna.models.header import sealed

    size = int.from_bytes(content[:8], "little")
    tree = json.loads(content[8 : 8 + size])
    if random.random() < 0.15:
        tree = change_tree(tree, random)
    else:
        ours = json.loads(tree["__metadata__"]["attendna"])
        del ours["sha256"]
        tree["__metadata__"]["attendna"] = json.dumps(change_tree(ours, random))
    header = json.dumps(tree).encode()
    changed = len(header).to_bytes(8, "little") + header + content[8 + size :]
    with contextlib.suppress(KeyError, TypeError, ValueError):
        changed = sealed(changed)
    return changed
