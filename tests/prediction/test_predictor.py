import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from attendna.core.errors import DataError, FolderError, UserError
from attendna.genome.sequences import SequenceBatch
from attendna.models.checkpoint import Checkpoint, InputContract, save
from attendna.prediction import predictor as module
from attendna.prediction.predictor import InputWarning, Predictor, predict_logits
from attendna.tokens.buffer import CodeBuffer


def checkpoint(**changes: object) -> Checkpoint:
    return Checkpoint.model_validate(
        {
            "run_id": "abc",
            "tokenizer": "onehot",
            "model": {"name": "encoder", "width": 8, "blocks": 1, "heads": 2, "dropout": 0.5},
            "strands": "augment",
            "label_kind": "binary",
            "classes": ("off", "on"),
            "input": InputContract(shortest=5, longest=40, task="t", split_hash="0"),
        }
        | changes
    )


def predictor(**changes: object) -> Predictor:
    header = checkpoint(**changes)
    torch.manual_seed(1)
    model = header.build()
    # Statistics of batches that never come would leave every channel as it is.
    for name, buffer in model.named_buffers():
        if "running" in name:
            buffer.add_(torch.rand_like(buffer) * 0.1)
    return Predictor(header, model, "cpu", "fp32")


@pytest.fixture
def sequences() -> SequenceBatch:
    draw = np.random.default_rng(0)
    texts = ["".join(draw.choice(list("ACGT"), draw.integers(5, 41))) for _ in range(70)]
    return SequenceBatch.from_text(texts)


def test_batches_and_their_order_change_nothing(
    sequences: SequenceBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = predictor()
    together = made.predict(sequences, scale="logit").values
    monkeypatch.setattr(module, "LARGEST_BATCH", 3)
    in_threes = made.predict(sequences, scale="logit").values
    alone = [made.predict(sequences.take([row]), scale="logit").values[0] for row in range(70)]
    np.testing.assert_allclose(in_threes, together, atol=1e-5)
    np.testing.assert_allclose(np.stack(alone), together, atol=1e-5)
    assert np.ptp(together) > 1e-3


def test_conjoined_strands_are_averaged_and_agree(sequences: SequenceBatch) -> None:
    single, conjoined = predictor(strands="single"), predictor(strands="conjoined")
    forward = single.predict(sequences, scale="logit").values
    backward = single.predict(sequences.reverse_complement(), scale="logit").values
    both = conjoined.predict(sequences, scale="logit").values
    opposite = conjoined.predict(sequences.reverse_complement(), scale="logit").values
    assert not np.allclose(forward, backward, atol=1e-4)
    np.testing.assert_allclose(both, (forward + backward) / 2, atol=1e-5)
    np.testing.assert_allclose(both, opposite, atol=1e-5)


def test_dropout_is_off_while_predicting_and_training_goes_on_after(
    sequences: SequenceBatch,
) -> None:
    made = predictor()
    made.model.train()
    buffer = CodeBuffer(sequences)
    first, second = (
        predict_logits(made.model, made.tokenizer, buffer, strands="single") for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert made.model.training
    assert not any(p.grad_fn for p in made.model.parameters())


def test_the_mode_comes_back_even_after_an_error(sequences: SequenceBatch) -> None:
    made = predictor()
    made.model.train()

    def stop(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_logits(
            made.model, made.tokenizer, CodeBuffer(sequences), strands="single", progress=stop
        )
    assert made.model.training


def test_probabilities_names_and_ids(sequences: SequenceBatch) -> None:
    made = predictor()
    ids = [f"s{row}" for row in range(70)]
    logits = made.predict(sequences, ids, "logit")
    probabilities = made.predict(sequences, ids)
    assert probabilities.names == ("on",)
    assert probabilities.ids == tuple(ids)
    assert (probabilities.scale, probabilities.run_id) == ("probability", "abc")
    np.testing.assert_allclose(probabilities.values, 1 / (1 + np.exp(-logits.values)), rtol=1e-5)
    assert made.predict(sequences).ids[:2] == ("1", "2")


def test_several_classes_have_a_column_each(sequences: SequenceBatch) -> None:
    made = predictor(label_kind="multiclass", classes=("a", "b", "c"))
    predictions = made.predict(sequences)
    assert predictions.names == ("a", "b", "c")
    np.testing.assert_allclose(predictions.values.sum(1), 1, rtol=1e-5)
    assert made.call(predictions) == ["abc"[place] for place in predictions.values.argmax(1)]


def test_a_binary_call_uses_the_stored_threshold(sequences: SequenceBatch) -> None:
    values = predictor().predict(sequences).values[:, 0]
    threshold = float(np.median(values))
    made = predictor(threshold=threshold)
    called = made.call(made.predict(sequences))
    assert called == ["on" if value >= threshold else "off" for value in values]
    assert set(called) == {"on", "off"}


def test_embeddings_are_what_the_head_reads(sequences: SequenceBatch) -> None:
    made = predictor()
    embedded = made.embed(sequences)
    assert embedded.shape[0] == 70
    with torch.no_grad():
        logits = made.model.head(torch.from_numpy(embedded))
    np.testing.assert_allclose(logits, made.predict(sequences, scale="logit").values, atol=1e-5)


def test_nothing_in_nothing_out() -> None:
    empty = SequenceBatch.from_text([])
    assert predictor().predict(empty).values.shape == (0, 1)
    assert len(predictor().embed(empty)) == 0


def test_progress_is_told_of_every_sequence(sequences: SequenceBatch) -> None:
    told: list[int] = []
    predictor().predict(sequences, progress=told.append)
    assert sum(told) == 70


def test_a_sequence_too_short_for_the_tokens_is_named() -> None:
    made = predictor(tokenizer={"name": "kmer", "k": 6})
    batch = SequenceBatch.from_text(["ACGTACGT", "ACG"])
    with pytest.raises(DataError, match=r"mine\.fa, row 2: the sequence 'b' has 3 bases"):
        made.predict(batch, ["a", "b"], source="mine.fa")


def test_unknown_bases_are_refused_where_the_training_refused_them() -> None:
    contract = checkpoint().input.replace(letters="error")
    batch = SequenceBatch.from_text(["ACGTACGT", "ACGNACGT"])
    with pytest.raises(DataError, match=r"row 2: .* unknown base at position 4"):
        predictor(input=contract).predict(batch)
    assert len(predictor().predict(batch).ids) == 2


def test_unusual_lengths_are_reported_once_and_read_whole(sequences: SequenceBatch) -> None:
    made = predictor()
    long = SequenceBatch.from_text(["ACGT" * 30, "ACGTACGT"])
    with pytest.warns(InputWarning, match="1 of 2 sequences have 120 bases.* trained on 5 to 40"):
        first = made.predict(long, scale="logit").values
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.predict(long)
        predictor().predict(sequences)
    cut = SequenceBatch.from_text(["ACGT" * 10, "ACGTACGT"])
    assert abs(first[0, 0] - made.predict(cut, scale="logit").values[0, 0]) > 1e-6


def test_as_many_ids_as_sequences(sequences: SequenceBatch) -> None:
    with pytest.raises(UserError, match="2 ids for 70 sequences"):
        predictor().predict(sequences, ["a", "b"])


def test_a_run_folder_is_loaded(sequences: SequenceBatch, tmp_path: Path) -> None:
    made = predictor()
    save(tmp_path, made.checkpoint, made.model)
    loaded = Predictor.load(tmp_path, "cpu", "fp32")
    assert not loaded.model.training
    assert np.array_equal(loaded.predict(sequences).values, made.predict(sequences).values)
    with pytest.raises(FolderError, match="no such run folder"):
        Predictor.load(tmp_path / "elsewhere")


def test_bf16_stays_near_fp32(sequences: SequenceBatch) -> None:
    exact = predictor()
    rough = Predictor(exact.checkpoint, exact.model, "cpu", "bf16")
    one = exact.predict(sequences, scale="logit").values
    other = rough.predict(sequences, scale="logit").values
    assert other.dtype == np.float32
    np.testing.assert_allclose(other, one, atol=0.05)
    assert not np.array_equal(one, other)


def test_a_model_that_gives_no_numbers_is_refused(sequences: SequenceBatch) -> None:
    made = predictor()
    with torch.no_grad():
        next(made.model.parameters()).fill_(float("nan"))
    for read in (made.predict, made.embed):
        with pytest.raises(DataError, match=r"mine\.fa, row 1: the model gives nan for 1; "):
            read(sequences, source="mine.fa")


def test_texts_are_sequences(runs: tuple[Path, Path]) -> None:
    predictor = Predictor.load(runs[0], "cpu")
    texts = ["ACGT" * 8, "GATTACA" * 4]
    batch = predictor.predict(SequenceBatch.from_text(texts))
    assert (predictor.predict(texts).values == batch.values).all()
