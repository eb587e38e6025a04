"""Members and their groups: a matrix with at most one entry a column, stored as one index a column."""

from collections.abc import Iterable, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import ArrayLike

from engine.book.arrays import floats, integers
from engine.numerics import adds_in_order


class Membership(eqx.Module):
    """Members, each of at most one group.

        (m @ x)_g = sum of weight_i x_i over the members i of g    x [members]
        (y @ m)_i = weight_i y_g(i), 0 where i has no group        y [groups]

    It reads as the matrix [groups, members] that it stands for and costs one addition a member. Build with
    `membership`.
    """

    group: Int[Array, "members"]  # 0 where there is none
    weight: Float[Array, "members"] | None  # None: one each
    groups: int = eqx.field(static=True)

    def __matmul__(self, x: Float[Array, "members"]) -> Float[Array, "groups"]:
        each = x if self.weight is None else self.weight * x
        if not adds_in_order():
            # A GPU adds into a row in no certain order; a product of matrices has one.
            return self.matrix @ x
        totals = jnp.zeros((self.groups,), x.dtype)
        return totals.at[self.group].add(each, mode="promise_in_bounds", wrap_negative_indices=False)

    def __rmatmul__(self, y: Float[Array, "groups"]) -> Float[Array, "members"]:
        if self.groups == 0:  # a gather from nothing is refused, even of members that have no group
            return jnp.zeros(self.group.shape, y.dtype)
        own = y.at[self.group].get(mode="promise_in_bounds", wrap_negative_indices=False)
        return own if self.weight is None else self.weight * own

    @property
    def belongs(self) -> Float[Array, "members"]:
        """Weight of each member in its group [members]; zero without a group."""
        return jnp.ones(self.group.shape, jnp.float32) if self.weight is None else self.weight

    @property
    def matrix(self) -> Float[Array, "groups members"]:
        """All of it [groups, members]."""
        rows = jnp.arange(self.groups, dtype=self.group.dtype)[:, None]
        return (rows == self.group[None, :]).astype(jnp.float32) * self.belongs[None, :]

    def first(self, count: int) -> "Membership":
        """Of the first `count` members alone."""
        return Membership(
            self.group[:count], None if self.weight is None else self.weight[:count], self.groups
        )


def membership(names: Iterable[str], order: Sequence[str], weight: ArrayLike | None = None) -> Membership:
    """Members that name their group, blank where they have none; `order` lists the groups.

    Example: loans of two borrowers, the second loan of nobody named.
        >>> loans = membership(["a", "", "b", "a"], ("a", "b"))
        >>> (loans @ jnp.float32([1, 2, 3, 4])).tolist(), (jnp.float32([10, 20]) @ loans).tolist()
        ([5.0, 3.0], [10.0, 0.0, 20.0, 10.0])
    """
    place = {name: i for i, name in enumerate(order)}
    group = np.array([place.get(name, -1) if name else -1 for name in names], np.int64)
    weight = np.ones(len(group)) if weight is None else np.asarray(weight, np.float64)
    weight = np.where(group < 0, 0.0, weight).astype(np.float32)
    own = None if (weight == 1.0).all() else floats(weight)
    return Membership(integers(np.maximum(group, 0)), own, len(order))
