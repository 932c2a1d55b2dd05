"""The command ``attendna``: its table of verbs, and what becomes of errors.

A verb is one file of this folder holding one function, and one line in a table below. The file is
imported when its verb is asked for, so that ``attendna --help`` imports nothing else.
"""

import errno
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperGroup

import attendna
from attendna.cli.command import VerbCommand
from attendna.cli.data_build import app as data_build
from attendna.core.ending import TERMINATED, heeding_sigterm
from attendna.core.errors import UserError, printable
from attendna.core.provenance import commanded

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


@dataclass(frozen=True)
class Verb:
    """Where a verb's function is, ``"module:function"``, and what the list of verbs says of it."""

    target: str
    help: str

    def command(self, name: str) -> Any:
        """Import the function and make it a command; its docstring is the help of the verb."""
        module, _, function = self.target.partition(":")
        app = plain_app()
        app.command(name, cls=VerbCommand)(getattr(import_module(module), function))
        return typer.main.get_command(app)


class VerbGroup(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    verbs: ClassVar[Mapping[str, Verb]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the table, then the groups below."""
        return [*self.verbs, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a verb, or the group of that name."""
        verb = self.verbs.get(cmd_name)
        return verb.command(cmd_name) if verb else super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - fixed by typer
        """List the verbs without importing one."""
        rows = [(name, verb.help) for name, verb in self.verbs.items()]
        rows += [
            (name, group.get_short_help_str(limit=80)) for name, group in self.commands.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command named first; an unknown name is refused with what is near."""
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            from attendna.core.registry import near_misses

            raise UserError(
                f"{ctx.command_path} has no command {args[0]!r}", near_misses(args[0], known)
            )
        return super().resolve_command(ctx, args)


def plain_app(*, completion: bool = False, **settings: Any) -> typer.Typer:
    """A Typer that does not load rich: its help pages cost a second, and errors are ours."""
    return typer.Typer(
        rich_markup_mode=None,
        add_completion=completion,
        pretty_exceptions_enable=False,
        **settings,
    )


def group(description: str, verbs: Mapping[str, Verb], **settings: Any) -> typer.Typer:
    """A group of verbs."""
    return plain_app(
        **settings,
        cls=type("Verbs", (VerbGroup,), {"verbs": verbs}),
        help=description,
        no_args_is_help=True,
    )


app = group(
    "Train, benchmark and interpret attention models on regulatory DNA.",
    {
        "doctor": Verb("attendna.cli.doctor:doctor", "Print what this machine offers."),
        "demo": Verb("attendna.cli.demo:demo", "Run every step on simulated data."),
        "pretrain": Verb("attendna.cli.pretrain:pretrain", "Learn a language model from genomes."),
        "train": Verb("attendna.cli.train:train", "Train a model on a task."),
        "tune": Verb("attendna.cli.tune:tune", "Search for the best settings on a task."),
        "finetune": Verb(
            "attendna.cli.finetune:finetune", "Train from a checkpoint; measure before and after."
        ),
        "evaluate": Verb("attendna.cli.evaluate:evaluate", "Measure a trained model on a split."),
        "compare": Verb("attendna.cli.compare:compare", "Compare trained models on one split."),
        "predict": Verb("attendna.cli.predict:predict", "Predict for sequences of your own."),
        "embed": Verb("attendna.cli.embed:embed", "Write the vectors a model makes of sequences."),
        "transfer": Verb(
            "attendna.cli.transfer:transfer", "Learn a task from a model's frozen vectors."
        ),
        "export": Verb("attendna.cli.export:export", "Write a run in the layout of Hugging Face."),
        "profile": Verb("attendna.cli.profile:profile", "Measure what a model of tracks costs."),
        "report": Verb("attendna.cli.report:report", "Write the page that shows a run."),
    },
    completion=True,
)

data = group(
    "Find, fetch, import and simulate labelled sequences.",
    {
        "list": Verb("attendna.cli.data_list:data_list", "List the data sets known by name."),
        "show": Verb("attendna.cli.data_show:data_show", "Show the card of a data set."),
        "get": Verb("attendna.cli.data_get:data_get", "Fetch a data set as a task folder."),
        "import": Verb(
            "attendna.cli.data_import:data_import", "Import your own labelled sequences."
        ),
        "audit": Verb("attendna.cli.data_audit:data_audit", "Look for leaks and easy rules."),
        "clean": Verb("attendna.cli.data_clean:data_clean", "Write the version without leaks."),
        "split": Verb("attendna.cli.data_split:data_split", "Deal the rows to splits anew."),
        "simulate": Verb("attendna.cli.data_simulate:data_simulate", "Simulate planted motifs."),
        "simulate-regulation": Verb(
            "attendna.cli.data_simulate_regulation:data_simulate_regulation",
            "Simulate a genome, expression and variants.",
        ),
    },
)

tokens = group(
    "Learn tokens and their vectors from a genome.",
    {
        "train-bpe": Verb(
            "attendna.cli.tokens_train_bpe:tokens_train_bpe",
            "Learn the words of a byte-pair encoding.",
        ),
        "train-dna2vec": Verb(
            "attendna.cli.tokens_train_dna2vec:tokens_train_dna2vec",
            "Learn k-mer vectors (dna2vec).",
        ),
        "neighbors": Verb(
            "attendna.cli.tokens_neighbors:tokens_neighbors",
            "Show or compare the neighbors of k-mers.",
        ),
    },
)

interpret = group(
    "Measure what a model has learned, base by base.",
    {
        "ism": Verb("attendna.cli.interpret_ism:interpret_ism", "Mutate every base in silico."),
        "attention": Verb(
            "attendna.cli.interpret_attention:interpret_attention", "Show what a model attends to."
        ),
        "motifs": Verb(
            "attendna.cli.interpret_motifs:interpret_motifs", "Find the motifs a model uses."
        ),
        "embeddings": Verb(
            "attendna.cli.interpret_embeddings:interpret_embeddings",
            "Map sequences by a model's vectors.",
        ),
        "receptive-field": Verb(
            "attendna.cli.interpret_receptive_field:interpret_receptive_field",
            "Measure how far a model of tracks reads.",
        ),
    },
)

study = group(
    "Run settings side by side, and write one table.",
    {
        "list": Verb("attendna.cli.study_list:study_list", "List the studies known by name."),
        "run": Verb("attendna.cli.study_run:study_run", "Run a study, or go on with it."),
    },
)

recipes = group(
    "The settings that come with attendna, by name.",
    {
        "list": Verb("attendna.cli.recipes_list:recipes_list", "List the recipes."),
        "show": Verb("attendna.cli.recipes_show:recipes_show", "Print a recipe."),
        "copy": Verb("attendna.cli.recipes_copy:recipes_copy", "Copy a recipe, to change it."),
    },
)

data.add_typer(data_build, name="build")
app.add_typer(data, name="data")
app.add_typer(tokens, name="tokens")
app.add_typer(interpret, name="interpret")
app.add_typer(study, name="study")
app.add_typer(recipes, name="recipes")


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"attendna {attendna.__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options that stand before the verb."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 an error the user can mend, 130 interrupted, 143
    terminated.

    Parameters
    ----------
    arguments
        Words after ``attendna``; those of this process when none are given.
    """
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; see :func:`main`."""
    warnings.showwarning = _show_warning
    try:
        with (
            commanded(sys.argv[1:] if arguments is None else arguments),
            heeding_sigterm() as told,
        ):
            code = typer.main.get_command(app)(
                args=arguments, prog_name="attendna", standalone_mode=False
            )
    except UserError as error:
        return _complain(str(error))
    except typer.TyperException as error:
        return _refuse_usage(error)
    except OSError as error:
        complaint = _explain(error)
        if complaint is None:
            raise
        return _complain(complaint)
    if code == INTERRUPTED:
        code = TERMINATED if told.to_end else INTERRUPTED
        print("terminated" if told.to_end else "interrupted", file=sys.stderr)  # noqa: T201
    return code if isinstance(code, int) else 0


def _show_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    """A warning of ours in one line; where in our code it was given is of no use to the user."""
    name = "" if category.__module__.startswith("attendna.") else f"{category.__name__}: "
    print(printable(f"warning: {name}{message}"), file=sys.stderr)  # noqa: T201


def _complain(message: str) -> int:
    """One line on standard error, and the exit code of an error the user can mend."""
    print("error:", printable(" ".join(message.split("\n"))), file=sys.stderr)  # noqa: T201
    return 2


def _refuse_usage(error: typer.TyperException) -> int:
    """A wrong option or argument in one line; a group without a verb shows its help."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.format_message(), err=True)
        return 2
    message = " ".join(error.format_message().replace("Value error, ", "").rstrip(".").split())
    return _complain(f"{message}; see {context.command_path} --help" if context else message)


def _explain(error: OSError) -> str | None:
    """One line for what the operating system refused, none where it may be a bug of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        place = f" while writing {error.filename}" if error.filename else ""
        return f"the disk is full{place}; free some space and run again"
    if error.filename and error.errno in (
        errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR,
        errno.ENAMETOOLONG,
    ):  # fmt: skip
        return f"{error.filename}: {(error.strerror or 'refused').lower()}; check the path"
    return None


if __name__ == "__main__":
    main()
