"""Which networks a training makes, and how they become one model."""

from collections.abc import Sequence
from dataclasses import dataclass

from attendna.models.checkpoint import Checkpoint, load
from attendna.models.ensemble import Ensemble, EnsembleConfig
from attendna.models.model import SequenceModel
from attendna.training.batches import MEMBER, seed_of
from attendna.training.record import Record, Row
from attendna.training.run import RunConfig, RunFolder, Variant


@dataclass(frozen=True)
class Member:
    """One network: its settings, and the folder it is trained in."""

    name: str
    config: RunConfig
    folder: RunFolder


def plan_members(
    config: RunConfig, variants: Sequence[Variant], folder: RunFolder
) -> tuple[Member, ...]:
    """The networks of a training, of each of the variants in turn.

    A network that is all there is, of no variant, is trained in the run folder itself.
    """
    if not variants:
        return tuple(
            Member(
                f"{place + 1}",
                config.replace(members=1, seed=member_seed(config.seed, place)),
                folder if config.members == 1 else folder.member(f"{place + 1}"),
            )
            for place in range(config.members)
        )
    members: list[Member] = []
    for place in range(config.members):
        round_, which = divmod(place, len(variants))
        members.append(variant_member(config, variants[which], round_, folder))
    return tuple(members)


def variant_member(config: RunConfig, variant: Variant, place: int, folder: RunFolder) -> Member:
    """The network number ``place`` of a variant."""
    name = f"{variant.name}-{place + 1}"
    settings = config.with_variant(variant)
    seed = member_seed(settings.seed, place)
    return Member(name, settings.replace(seed=seed), folder.member(name))


def member_seed(seed: int, place: int) -> int:
    """The seed of a member: the run's own for the first, one unrelated to any for the others."""
    return seed_of(seed, MEMBER, place) if place else seed


def join(members: Sequence[Member]) -> tuple[Checkpoint, SequenceModel]:
    """The best model of each member, as one model whose logits are their mean."""
    loaded = [load(member.folder.best) for member in members]
    first, model = loaded[0]
    if len(loaded) == 1:
        return first, model
    strands = tuple(member.config.strands for member in members)
    header = first.replace(
        model=EnsembleConfig(members=tuple(header.model for header, _ in loaded)).to_tree(),
        strands=strands if len(set(strands)) > 1 else strands[0],
    )
    return header, Ensemble([model for _, model in loaded])


def mean_log(records: Sequence[Record]) -> list[Row]:
    """The logs of all members as one: the mean of each round over those that reached it.

    Of the seconds it is the sum.
    """
    rows: list[Row] = []
    for place in range(max(len(record.rows) for record in records)):
        there = [record.rows[place] for record in records if place < len(record.rows)]
        mean = {key: sum(row[key] for row in there) / len(there) for key in there[0]}
        total = {"step": there[0]["step"], "seconds": sum(row["seconds"] for row in there)}
        rows.append(mean | total)
    return rows
