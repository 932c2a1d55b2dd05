"""``attendna doctor``: what this machine offers and what is missing."""

from attendna.cli.options import Json
from attendna.cli.output import print_json


def doctor(json: Json = False) -> None:
    """Say what this machine offers: device, processor, memory, versions, missing extras."""
    print_json({"json": json})
