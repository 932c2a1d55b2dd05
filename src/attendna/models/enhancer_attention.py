"""The light enhancer model: k-mer vectors, one learned query, one linear output.

A learned [CLS] token is appended to a sequence's k-mers, one layer of attention is computed, and
the output at [CLS] is classified. Only that one output is used, so only its query is computed; and
since the query is the same for every sequence, it is folded into the keys. Where nothing tells
positions apart, a sequence is the bag of its k-mers, and attention over it is a softmax over the
vocabulary in which each k-mer weighs as often as it occurs. All of this is exact.

With its default settings and 4-mers it has the arithmetic and the 30,501 trainable parameters of
Little 2025, "Can a self-attention model capture biological context of sequences to classify
enhancer regions?".

Shapes: ``B`` batch, ``S`` tokens, ``V`` vocabulary, ``N`` items to attend to (tokens, or words of
the vocabulary), ``N1`` the items and the learned token, ``D`` width, ``H`` heads, ``C`` width of a
head, ``P`` width after pooling, ``T`` outputs.
"""

from typing import Any, Literal, Self, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from attendna.core.errors import ConfigError
from attendna.models.layers.attention import SelfAttention, head_width
from attendna.models.layers.convolution import Convolution
from attendna.models.layers.heads import Head
from attendna.models.layers.padding import real_tokens
from attendna.models.layers.pooling import AnyPoolingConfig, CLSConfig
from attendna.models.layers.positions import (
    AnyPositionsConfig,
    Distances,
    DistanceScores,
    NoPositionsConfig,
    Places,
    Positions,
    Rotation,
    rotate,
)
from attendna.models.model import ModelConfig, SequenceModel
from attendna.tokens.dna2vec import read_vectors
from attendna.tokens.kmer import KmerTokenizer
from attendna.tokens.patch import PatchTokenizer
from attendna.tokens.tokenizer import TokenBatch, Tokenizer

# Above this vocabulary most counts are zero and looking the tokens up is cheaper; see benchmarks/.
LARGEST_COUNTED_VOCABULARY = 4**5 + 1


class EnhancerAttentionConfig(ModelConfig):
    """Settings of the light enhancer model; the defaults are the published model."""

    name: Literal["enhancer_attention"] = "enhancer_attention"
    width: int = Field(default=100, ge=1)
    embedding: Literal["frozen", "learned"] = "frozen"
    """Whether training changes the k-mer vectors."""
    vectors: str | None = None
    """A dna2vec file that gives the k-mer vectors; none draws them at random. It is read when a
    training starts and never again: the vectors are among the model's weights."""
    convolution: int | None = Field(default=None, ge=1)
    """Kernel of a convolution over the k-mer vectors before attention."""
    positions: AnyPositionsConfig = NoPositionsConfig()
    heads: int = Field(default=1, ge=1)
    pooling: AnyPoolingConfig = CLSConfig()
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the pooled representation dropped before the linear output."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.positions.check(head_width(self.width, self.heads))
        return self

    def build(self, tokenizer: Tokenizer, outputs: int) -> "EnhancerAttention":
        """The model, with fresh weights."""
        return EnhancerAttention(self, tokenizer, outputs)

    def initialize(self, tokenizer: Tokenizer, outputs: int) -> "EnhancerAttention":
        """The model with the k-mer vectors of the file, where one is named.

        Raises
        ------
        DataError
            The file is missing, damaged, or holds no words of the tokenizer's length.
        ConfigError
            The tokenizer has no words, or the file's vectors are not ``width`` numbers long.
        """
        model = self.build(tokenizer, outputs)
        if self.vectors is not None:
            model.table.load_state_dict({"weight": self._read_vectors(tokenizer, self.vectors)})
        return model

    def _read_vectors(self, tokenizer: Tokenizer, path: str) -> Float[Tensor, "V D"]:
        if not isinstance(tokenizer, KmerTokenizer | PatchTokenizer):
            raise ConfigError(
                f"model.vectors: {path} holds vectors of k-mers, which the tokenizer does not give",
                "use the tokenizer kmer or patch",
            )
        matrix = read_vectors(path, tokenizer.config.k).matrix
        if matrix.shape[1] != self.width:
            raise ConfigError(
                f"model.width is {self.width}, vectors of {matrix.shape[1]} numbers are in {path}",
                f"set model.width={matrix.shape[1]}",
            )
        return torch.from_numpy(matrix)


class EnhancerAttention(SequenceModel):
    """Vectors of k-mers, attention, pooling, a linear output."""

    def __init__(self, config: EnhancerAttentionConfig, tokenizer: Tokenizer, outputs: int) -> None:
        super().__init__()
        width, kernel = config.width, config.convolution
        self.table = nn.Embedding(tokenizer.vocabulary_size, width)
        self.table.weight.requires_grad_(config.embedding == "learned")
        self.convolution = None if kernel is None else Convolution(width, width, kernel)
        self.positions = config.positions.build(width, head_width(width, config.heads))
        if isinstance(config.pooling, CLSConfig):
            self.attention = OneQueryAttention(width, config.heads, self.positions)
            self.pooling = None
        else:
            self.attention = SelfAttention(width, config.heads, self.positions)
            self.pooling = config.pooling.build(width)
        self.width = width if self.pooling is None else self.pooling.width
        self.head = Head(self.width, outputs, dropout=config.dropout)
        self.reads_counts = (
            self.pooling is None
            and kernel is None
            and isinstance(config.positions, NoPositionsConfig)
            and tokenizer.vocabulary_size <= LARGEST_COUNTED_VOCABULARY
        )

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B P"]:
        """What attention makes of the sequence."""
        if self.reads_counts and isinstance(self.attention, OneQueryAttention):
            counts = token_counts(tokens, self.table.num_embeddings, self.table.weight.dtype)
            # The logarithm of zero is many times slower than that of one.
            log_counts = counts.clamp(min=1).log().masked_fill(counts == 0, float("-inf"))
            return self.attention(self.table.weight, log_counts)
        ids, mask = real_tokens(tokens)
        x = self.table(ids)
        if self.convolution is not None:
            x = x + F.gelu(self.convolution(x, mask))
        x = self.positions(x)
        places = self.positions.places(x.shape[1], x.device)
        if self.pooling is not None:
            return self.pooling(self.attention(x, mask, places), mask)
        weight = x.new_zeros(ids.shape)
        if mask is not None:
            weight = weight.masked_fill(~mask, float("-inf"))
        return self.attention(x, weight, places)

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""
        return self.head(self.embed(tokens))


def token_counts(tokens: TokenBatch, vocabulary: int, dtype: torch.dtype) -> Float[Tensor, "B V"]:
    """How often each token of the vocabulary stands in each sequence."""
    counts = torch.zeros(tokens.ids.shape[0], vocabulary, dtype=dtype, device=tokens.ids.device)
    return counts.scatter_add_(1, tokens.ids.long(), tokens.mask.to(counts.dtype))


class OneQueryAttention(nn.Module):
    """The attention output of a learned token appended to the items, and of no other.

    With its query ``q`` folded into the keys, ``(W x + b) q = x (W^T q) + b q``: one product an
    item instead of a key an item. Values are projected after they are averaged, which a linear map
    allows.
    """

    def __init__(self, width: int, heads: int, positions: Positions) -> None:
        super().__init__()
        self.distances = positions.distance_scores(width, heads)
        self.token = nn.Parameter(torch.randn(width))
        # A training step of a small batch costs by the operation, not by its size. So query, key
        # and value are rows of one matrix, which the optimizer sees as one, and a product with
        # what channels each head owns takes the place of a split into heads.
        self.project = nn.Linear(width, 3 * width)
        owned = torch.eye(heads).repeat_interleave(head_width(width, heads), dim=1)
        self.register_buffer("owned", owned, persistent=False)
        self.owned: Tensor

    def forward(
        self,
        items: Float[Tensor, "*batch N D"],
        log_weight: Float[Tensor, "B N"],
        places: Places = None,
    ) -> Float[Tensor, "B D"]:
        """What the learned token reads.

        Parameters
        ----------
        items
            Vectors of each sequence's tokens, or of the vocabulary that all sequences share.
        log_weight
            Logarithm of how often each item stands in the sequence, -inf for never.
        places
            Where the items stand, seen from the first; the learned token itself has no place.
        """
        if self._plain(items, places):
            # The learned token stands in every sequence once.
            log_weight = F.pad(log_weight, (0, 1))
            project = self.project.weight, self.project.bias
            return _BagAttention.apply(items, self.token, log_weight, *project)
        items = self._with_token(items)
        mean = self._shares(items, log_weight, places).to(items.dtype) @ items
        weight, bias = self.project.weight.chunk(3)[2], self.project.bias.chunk(3)[2]
        if len(self.owned) == 1:
            return F.linear(mean[:, 0], weight, bias)
        return (F.linear(mean, weight) * self.owned).sum(1) + bias

    def weights(
        self,
        items: Float[Tensor, "*batch N D"],
        log_weight: Float[Tensor, "B N"],
        places: Places = None,
    ) -> Float[Tensor, "B H N1"]:
        """How much of each item, and last of itself, the learned token reads by each head."""
        return self._shares(self._with_token(items), log_weight, places)

    def _shares(
        self, items: Float[Tensor, "*batch N1 D"], log_weight: Float[Tensor, "B N"], places: Places
    ) -> Float[Tensor, "B H N1"]:
        (to_query, to_key, _), (query_bias, key_bias, _) = (
            self.project.weight.chunk(3),
            self.project.bias.chunk(3),
        )
        heads, width = self.owned.shape
        # One row a head, zero in the channels of others.
        query = (width // heads) ** -0.5 * F.linear(self.token, to_query, query_bias)
        scores = self._scores(self.owned * query, to_key, key_bias, items, places)
        return (scores + F.pad(log_weight, (0, 1))[:, None]).softmax(2)

    def _with_token(self, items: Float[Tensor, "*batch N D"]) -> Float[Tensor, "*batch N1 D"]:
        """The items, and the learned token behind them."""
        token = self.token.to(items.dtype).expand(*items.shape[:-2], 1, -1)
        return torch.cat([items, token], dim=-2)

    def _plain(self, items: Tensor, places: Places) -> bool:
        """Whether it is one head over items that all sequences share, in one precision."""
        shared = items.dim() == 2 and places is None and len(self.owned) == 1
        return shared and not torch.is_autocast_enabled(items.device.type)

    def _scores(
        self,
        query: Float[Tensor, "H D"],
        weight: Float[Tensor, "D D"],
        bias: Float[Tensor, " D"],
        items: Float[Tensor, "*batch N D"],
        places: Places,
    ) -> Float[Tensor, "*batch H N"]:
        """Products of the query with every item's key; the last item has no position."""
        if places is None:
            return (query @ weight) @ items.mT + (query @ bias)[:, None]
        by_place, alone, query = self._placed(query, places)
        by_place = torch.cat([by_place, query[:, None]], dim=1)
        alone = F.pad(alone, (0, 1)) + by_place @ bias
        return torch.einsum("hnd,bnd->bhn", by_place @ weight, items) + alone

    def _placed(
        self, query: Float[Tensor, "H D"], places: Rotation | Distances
    ) -> tuple[Float[Tensor, "H S D"], Float[Tensor, "H S"], Float[Tensor, "H D"]]:
        """The query that meets the key at every place, what it scores there, and the query itself.

        Position costs a query a place, once for all sequences, and nothing an item.
        """
        if isinstance(places, Rotation):
            # Turning every key forwards is turning the one query back.
            heads, count = len(query), len(places.cosine)
            by_head = query.unflatten(1, (heads, 1, -1)).expand(-1, -1, count, -1)
            turned = rotate(by_head, places.inverse()).transpose(1, 2).flatten(2)
            return turned, turned.new_zeros(heads, count), query
        layer = cast("DistanceScores", self.distances)
        query = query * 3**-0.5
        # The items stand ahead of the learned token, and it behind them.
        ahead = layer.query(places.ahead) * layer.scale
        by_place = query[:, None] + self.owned[:, None] * ahead
        return by_place, query @ layer.key(places.behind).mT, query


class _BagAttention(torch.autograd.Function):
    """One head over a table that all sequences share and the learned token, which comes last.

    The same numbers as the general way gives, with the gradient written out: a step of a small
    batch costs by the operation, and this takes a third of those that autograd records.
    """

    @staticmethod
    def forward(  # noqa: PLR0917  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any,
        table: Float[Tensor, "V D"],
        token: Float[Tensor, " D"],
        log_weight: Float[Tensor, "B N"],
        weight: Float[Tensor, "3*D D"],
        bias: Float[Tensor, "3*D"],
    ) -> Float[Tensor, "B D"]:
        width = len(token)
        scale = width**-0.5
        to_query, to_key, to_value = weight.chunk(3)
        items = torch.cat([table, token[None]])
        query = torch.addmv(bias[:width], to_query, token, beta=scale, alpha=scale)
        # What the keys' bias adds is the same for every item, and attention does not see it.
        folded = query @ to_key
        share = (log_weight + items @ folded).softmax(1)
        mean = share @ items
        ctx.save_for_backward(items, weight, query, folded, share, mean)
        return torch.addmm(bias[2 * width :], mean, to_value.T)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, gradient: Float[Tensor, "B D"]
    ) -> tuple[Tensor | None, Tensor, None, Tensor, Tensor]:
        items, weight, query, folded, share, mean = ctx.saved_tensors
        width = items.shape[1]
        to_query, to_key, to_value = weight.chunk(3)
        of_mean = gradient @ to_value
        # The gradient of a softmax takes off the average of what comes in, here of_mean @ mean.
        of_scores = (of_mean @ items.T - (of_mean * mean).sum(1, keepdim=True)).mul_(share).sum(0)
        of_folded = of_scores @ items
        of_query = (to_key @ of_folded).mul_(width**-0.5)
        of_token = of_query @ to_query + of_scores[-1] * folded + share[:, -1] @ of_mean
        of_table = None
        if ctx.needs_input_grad[0]:
            of_table = torch.addr(share[:, :-1].T @ of_mean, of_scores[:-1], folded)
        return (
            of_table,
            of_token,
            None,
            torch.cat([of_query.outer(items[-1]), query.outer(of_folded), gradient.T @ mean]),
            torch.cat([of_query, torch.zeros_like(of_query), gradient.sum(0)]),
        )
