"""``attendna data simulate-regulation``: a genome whose genes obey a known grammar."""

from attendna.cli.options import Force, Json, Out, Seed, SetGenome
from attendna.cli.output import print_json, say


def data_simulate_regulation(
    *,
    out: Out,
    seed: Seed = 0,
    assignments: SetGenome = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Simulate a genome, what its genes express, and variants that change it.

    The files are those that `data build expression` and `data build causal_snp` read; the grammar
    and what each variant changes are stored beside them. Settings: motifs, tissues, share,
    chromosomes, genes (of each), spacing, sites, reach, decay, noise, effect, gc.
    """
    from attendna.core.config import override, parse
    from attendna.tasks.regulation import RegulationSettings, simulate_regulation

    tree = override({"seed": seed}, assignments or ())
    settings = parse(RegulationSettings, tree, "data simulate-regulation")
    made = simulate_regulation(out, settings, force=force)
    genes = settings.genes * settings.chromosomes
    if json:
        print_json({"folder": made, "genes": genes, "tissues": settings.tissues})
    else:
        say(f"wrote {made}: {genes:,} genes in {settings.tissues} tissues")
