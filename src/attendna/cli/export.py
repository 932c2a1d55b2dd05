"""``attendna export``: what was learned, in the layout of Hugging Face."""

from attendna.cli.options import Force, Json, Out, RunFolder
from attendna.cli.output import print_json, say


def export(run: RunFolder, out: Out, *, force: Force = False, json: Json = False) -> None:
    """Write a run of a huggingface model as a folder that transformers reads without attendna.

    A classifier gives the same logits there (AutoModelForSequenceClassification); a language model
    is written as a bare encoder (AutoModel). Either can be started from again: train --from.
    """
    from attendna.models.huggingface.export import export

    made = export(run, out, force=force)
    if json:
        print_json({"folder": str(made), "files": sorted(path.name for path in made.iterdir())})
    else:
        say(f"wrote {made}")
