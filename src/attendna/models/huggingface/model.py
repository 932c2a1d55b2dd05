"""Encoders of the BERT family, such as DNABERT, as models of attendna.

The network is the standard class of transformers, and computes what it computes there: [CLS], the
tokens, [SEP]. A sequence of more tokens than the model has positions for is cut evenly into as few
windows as there can be, and the logits of its windows are averaged; nothing is left out.

Source: Ji et al. 2021, "DNABERT: pre-trained Bidirectional Encoder Representations from
Transformers model for DNA-language in genome".

Shapes: ``B`` batch, ``S`` tokens, ``M`` windows of the batch, ``W`` tokens of a window with [CLS]
and [SEP], ``D`` width, ``C`` columns of anything, ``T`` outputs.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int32, Int64
from pydantic import Field, field_validator
from torch import Tensor, nn

from attendna.models.huggingface.architecture import ArchitectureConfig, transformers
from attendna.models.huggingface.words import KmerVocabulary, Spelling, spelling_of
from attendna.models.layers.padding import Mask, real_tokens
from attendna.models.model import ModelConfig, TokenModel
from attendna.models.segments import cut
from attendna.tokens.bpe_vocabulary import CLS, PADDING, SEP
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class HuggingfaceConfig(ModelConfig):
    """Settings of an encoder of the BERT family.

    ``config`` and ``vocabulary`` of a checkpoint are those it has: they are taken over by a
    training that starts from it, and stand here from then on.
    """

    name: Literal["huggingface"] = "huggingface"
    config: ArchitectureConfig
    vocabulary: str | None = Field(default=None, repr=False)
    """The words of k bases, packed, where their order is not that of DNABERT."""

    @field_validator("vocabulary")
    @classmethod
    def _can_be_read(cls, packed: str | None) -> str | None:
        if packed is not None:
            KmerVocabulary.unpack(packed)
        return packed

    def build(self, tokenizer: Tokenizer, outputs: int) -> "HuggingfaceModel":
        """The network, with fresh weights."""
        return HuggingfaceModel(self, spelling_of(tokenizer, self.vocabulary), outputs)

    def backbone(self, tokenizer: Tokenizer) -> "HuggingfaceModel":
        """What a language model trains: hidden words are read as [MASK]."""
        spelling = spelling_of(tokenizer, self.vocabulary).hiding()
        model = HuggingfaceModel(self, spelling, 1)
        model.pooling, model.head = nn.Identity(), nn.Identity()
        return model


@dataclass(frozen=True, eq=False)
class Windows:
    """What is read of a batch at once, and whose it is."""

    ids: Int64[Tensor, "M W"]
    sizes: Int64[Tensor, " M"]
    """Tokens of each, without [CLS] and [SEP]."""
    counts: Int64[Tensor, " B"]
    """Windows of each sequence."""

    @property
    def mask(self) -> Bool[Tensor, "M W"] | None:
        """Which are real; none where all are."""
        width = self.ids.shape[1]
        mask = torch.arange(width, device=self.ids.device) < self.sizes[:, None] + 2
        return None if bool(mask.all()) else mask

    def mean(self, values: Float[Tensor, "M C"]) -> Float[Tensor, "B C"]:
        """Of each sequence, the mean over its windows."""
        if len(values) == len(self.counts):
            return values
        owners = torch.repeat_interleave(self.counts)
        sums = values.new_zeros(len(self.counts), values.shape[1]).index_add(0, owners, values)
        return sums / self.counts[:, None]


class HuggingfaceModel(TokenModel):
    """A standard encoder: its body, how it makes one vector of a sequence, and its head."""

    def __init__(self, config: HuggingfaceConfig, spelling: Spelling, outputs: int) -> None:
        super().__init__()
        said = config.config.to_transformers(
            spelling.size, spelling.special[PADDING], num_labels=outputs
        )
        network: Any = transformers().AutoModelForSequenceClassification.from_config(said)
        self.body: nn.Module = network.base_model
        self.pooling, self.head = _take_top(network)
        self.longest = config.config.longest
        self.width = self.token_width = int(said.hidden_size)
        self.spelling = spelling
        self.register_buffer("ids", torch.from_numpy(spelling.ids), persistent=False)
        self.ids: Tensor

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B D"]:
        """What the head reads; the mean over windows, where there are several."""
        windows = self._windows(tokens)
        return windows.mean(self._pooled(windows))

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence; the mean over windows, where there are several."""
        windows = self._windows(tokens)
        return windows.mean(self.head(self._pooled(windows)))

    def read(self, tokens: TokenBatch) -> tuple[Float[Tensor, "B S D"], Mask]:
        """A vector a token, without those of [CLS] and [SEP], and which are real."""
        ids, mask = _trimmed(tokens)
        windows = self._windows(tokens)
        x = self._states(windows)[:, 1:-1]
        if len(x) == len(windows.counts):
            return x, mask
        inside = torch.arange(x.shape[1], device=x.device) < windows.sizes[:, None]
        there = tokens.mask[:, : ids.shape[1]]
        laid = x.new_zeros(*there.shape, x.shape[2])
        return laid.masked_scatter(there[..., None], x[inside]), mask

    def _windows(self, tokens: TokenBatch) -> Windows:
        """Ids as the checkpoint has them, between [CLS] and [SEP], at most as many as fit."""
        # Without what is padding in every sequence, which dropout would draw for.
        ids, mask = _trimmed(tokens)
        special = self.spelling.special
        sizes = tokens.mask.sum(1)
        own = self.ids[ids.long()]
        if mask is not None:
            own = own.masked_fill(~mask, special[PADDING])
        counts = torch.ones_like(sizes)
        if ids.shape[1] > self.longest:
            own, sizes, counts = cut(own, sizes, self.longest, padding=special[PADDING])
        framed = F.pad(own, (1, 1), value=special[PADDING])
        framed[:, 0] = special[CLS]
        return Windows(framed.scatter(1, sizes[:, None] + 1, special[SEP]), sizes, counts)

    def _states(self, windows: Windows) -> Float[Tensor, "M W D"]:
        mask = windows.mask
        mask = None if mask is None else mask.long()
        return self.body(input_ids=windows.ids, attention_mask=mask).last_hidden_state

    def _pooled(self, windows: Windows) -> Float[Tensor, "M D"]:
        return self.pooling(self._states(windows))


def _trimmed(tokens: TokenBatch) -> tuple[Int32[Tensor, "B S"], Mask]:
    """Ids and mask as far as the longest sequence goes; see :func:`real_tokens`."""
    ids, mask = real_tokens(tokens)
    if mask is None:
        return ids, None
    longest = int(mask.sum(1).max())
    return ids[:, :longest], mask[:, :longest]


def _take_top(network: Any) -> tuple[nn.Module, nn.Module]:
    """The pooling and the head of a network that classifies sequences, whose body is left bare."""
    body = network.base_model
    pooler = getattr(body, "pooler", None)
    if pooler is None:
        return FirstToken(), OfFirst(network.classifier)
    body.pooler = None
    return cast("nn.Module", pooler), nn.Sequential(network.dropout, network.classifier)


class FirstToken(nn.Module):
    """What [CLS] has become."""

    def forward(self, x: Float[Tensor, "M W D"]) -> Float[Tensor, "M D"]:
        """The first vector of each."""
        return x[:, 0]


class OfFirst(nn.Module):
    """A head of transformers that looks for [CLS] itself."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, x: Float[Tensor, "M D"]) -> Float[Tensor, "M T"]:
        """Logits."""
        return self.classifier(x[:, None])
