"""From a program to bodies: every primitive as items, or as another view."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.batch.loops import carry_range
from engine.kernel import reductions, structure
from engine.kernel.arrays import Array, Arrays, Codes, runs, step, uniform
from engine.kernel.body import Body, Copy, Item, Products, Rows, Text, Turns
from engine.kernel.form import Form
from engine.kernel.known import Known
from engine.kernel.operations import ELEMENTWISE, expression, letter
from engine.kernel.program import Equation, Program, Unsupported, Value, bodies


class Builder:
    """Builds the body of a program and those of its loops.

    `moving` are the values that paths change, `owners` the program of every known value, `makers` the
    equations of all values, `concrete` the known values that choose elements, `form` how the
    kernel keeps numbers.
    """

    def __init__(self, known: Known, concrete: dict[Value, np.ndarray], arrays: Arrays, form: Form):
        programs = list(bodies(known.program))
        self.moving, self.concrete = known.moving, concrete
        self.owners = {value: program for program in programs for value in known.own(program)}
        self.makers = {v: e for program in programs for e in program.equations for v in e.results}
        self.arrays, self.form = arrays, form
        self.views: dict[Value, Codes] = {}
        self.same: dict[tuple, Codes] = {}

    # What a value looks like.

    def view(self, value: Value) -> Codes:
        """The codes of a value."""
        if value in self.views:
            return self.views[value]
        maker = self.makers.get(value)
        if maker is not None and maker.name in structure.STRUCTURE and value.size:
            views = structure.STRUCTURE[maker.name](maker, [self.view(operand) for operand in maker.operands])
            self.views |= dict(zip(maker.results, map(np.asarray, views), strict=True))
        else:
            letter(value.dtype)
            self.views[value] = self.arrays.constant(value, self.owners.get(value)).codes(value.shape)
        return self.views[value]

    def dtype(self, codes: Codes) -> str:
        """The type of a view."""
        return self.arrays.at(codes.flat[0])[0].dtype

    def build(self, program: Program, outer: Body | None = None) -> Body:
        """The body of a program whose moving inputs have views."""
        body = Body(program, outer)
        for equation in program.equations:
            if not self.moving.isdisjoint(equation.results):
                views = [np.asarray(view) for view in self.equation(body, equation)]
                for value, view in zip(equation.results, views, strict=True):
                    self.views[value] = view.reshape(value.shape)
        return body

    # Equations.

    def equation(self, body: Body, equation: Equation) -> Sequence[Codes]:
        """Views of the results of an equation."""
        name, result = equation.name, equation.results[0]
        if equation.body is not None:
            return self.loop(body, equation)
        if not any(value.size for value in equation.results):
            return [np.zeros(value.shape, np.int64) for value in equation.results]
        if name == "gather":
            return [
                structure.gather(equation, self.view(equation.operands[0]), self.index(equation.operands[1]))
            ]
        if name in ("scatter-add", "scatter_add"):
            return [reductions.scatter_add(self, body, equation)]
        if name == "scatter":
            return [reductions.scatter(self, equation)]
        views = [self.view(operand) for operand in equation.operands]
        if name in structure.STRUCTURE:
            return structure.STRUCTURE[name](equation, views)
        if name in ELEMENTWISE:
            return [self.elementwise(body, name, equation.params, views, result.dtype, result.shape)]
        if name in reductions.SUMS and not all(view.size for view in views):
            return [self.constant(reductions.of_nothing(name, result.dtype), result)]
        if name in reductions.GATHER:
            return [reductions.reduction(self, body, name, views[0], equation.params["axes"])]
        if name == "dot_general":
            return [reductions.dot(self, body, equation, views)]
        if name == "cumsum":
            return [reductions.cumulative(self, body, equation, views[0])]
        raise Unsupported(f"the primitive {name}")

    def constant(self, number: Any, like: Value) -> Codes:
        """A number in the shape of a value."""
        data = np.full(like.shape, number, like.dtype)
        return self.arrays.constant(Value(like.shape, like.dtype, data), None).codes(like.shape)

    def index(self, value: Value) -> np.ndarray:
        """A known value that chooses elements."""
        if value.data is not None:
            return value.data
        if value not in self.concrete:
            raise Unsupported("indices that depend on the path")
        return self.concrete[value]

    def elementwise(
        self, body: Body, name: str, params: dict[str, Any], views: Sequence[Codes], dtype: str, shape: tuple
    ) -> Codes:
        """An elementwise primitive; of one element where all operands are."""
        views = [np.broadcast_to(view, shape).reshape(-1) for view in views]
        if all(uniform(view) for view in views):
            views = [view[:1] for view in views]
        text = expression(name, params, [self.dtype(view) for view in views], dtype)
        if name == "div" and dtype == "float32" and not self.arrays.moves(views[1]):
            # The inverse is known too: one division in place of one a path.
            name, views = "mul", [views[0], self.arrays.inverse(views[1])]
            text = expression(name, {}, [dtype] * 2, dtype)
        if name in ("max", "min") and dtype == "float32":
            views, text = self.numbers_first(name, views, text)
        key = (name, str(sorted(params.items(), key=str)), dtype, *(view.tobytes() for view in views))
        if key not in self.same or not self.visible(self.same[key], body):
            self.same[key] = self.item(body, text, views, dtype)
        return np.broadcast_to(self.same[key].reshape(-1), math.prod(shape)).reshape(shape)

    def visible(self, codes: Codes, body: Body) -> bool:
        """Whether a body may read a view: its own, or that of a body around it."""
        owner = self.arrays.at(codes.flat[0])[0].body
        around: Body | None = body
        while around is not None and around is not owner:
            around = around.outer
        return around is not None

    def numbers_first(self, name: str, views: list[Codes], text: Text) -> tuple[list[Codes], Text]:
        """The quicker order of two by which not-a-number passes on, where one operand is known."""
        order = "larger" if name == "max" else "smaller"
        if self.arrays.moves(views[0]) and self.arrays.moves(views[1]):
            return views, text
        if self.arrays.moves(views[0]):
            views = views[::-1]
        return views, lambda texts: f"{order}_n({texts[0]}, {texts[1]})"

    def item(
        self, body: Body, text: Text, views: Sequence[Codes], dtype: str, size: int | None = None
    ) -> Codes:
        """A new array of elements of the operands; straight code where they are few."""
        size = views[0].size if size is None else size
        if size <= self.form.few:
            columns = np.stack(views, axis=-1) if views else np.zeros((size, 0), np.int64)
            return self.rows(body, [(text, column) for column in columns], dtype)
        array = self.arrays.new(size, dtype)
        views = [self.readable(body, view) for view in views]
        body.add(Item(array, text, views), size, views, self.arrays)
        if dtype == "int64":
            raise Unsupported("more than a few 64-bit integers")
        return array.codes((size,))

    def rows(
        self, body: Body, rows: list[tuple[Text, Codes]], dtype: str, products: list[Products] | None = None
    ) -> Codes:
        """A new array of elements with an expression each."""
        array = self.arrays.new(len(rows), dtype, local=len(rows) <= self.form.few)
        body.add(Rows(array, rows, products), 0, [codes for _, codes in rows], self.arrays)
        return array.codes((len(rows),))

    def sums(self, body: Body, sums: list[Products], dtype: str) -> Codes:
        """A new array of sums of products; long ones in parts where the writer says so."""
        if self.form.spread:
            self.arrays.zero(dtype)
        length = self.form.longest([len(products) for products in sums])
        parts = [
            products[at : at + length] for products in sums for at in range(0, max(len(products), 1), length)
        ]
        if len(parts) == len(sums):
            return self.rows(body, [reductions.sum_of(products) for products in sums], dtype, sums)
        partial = iter(self.rows(body, [reductions.sum_of(part) for part in parts], dtype, parts))
        counts = [max(1, -(-len(products) // length)) for products in sums]
        return self.sums(body, [[(next(partial),) for _ in range(count)] for count in counts], dtype)

    def readable(self, body: Body, view: Codes) -> Codes:
        """A view that one expression can read for every element of a loop; else a copy's."""
        if uniform(view):
            return view
        arrays = self.arrays.of(view)
        if len(arrays) == 1:
            return view
        if all(array.moves and array.base == "s" for array in arrays):
            return view
        return self.copied(body, view)

    def copied(self, body: Body, view: Codes, base: str = "s") -> Codes:
        """A stored array with the elements of a view."""
        key = ("copy", body, base, view.tobytes())
        if key not in self.same:
            array = self.arrays.new(view.size, self.dtype(view), stored=True, base=base)
            for first, part in runs(view.reshape(-1)):
                body.add(
                    Copy(array, first, part),
                    0 if part.size <= self.form.few else part.size,
                    [part],
                    self.arrays,
                )
            self.same[key] = array.codes((view.size,))
        return self.same[key]

    # Loops.

    def loop(self, body: Body, equation: Equation) -> list[Codes]:
        """A loop: its carry and the rows it reads and writes lie in memory."""
        inner, length = equation.body, equation.params["length"]
        assert inner is not None
        first, last = carry_range(equation.params)
        pairs = list(zip(inner.inputs, equation.operands, strict=True))
        carry, start = [], []
        for own, operand in pairs[first:last]:
            array = self.arrays.new(own.size, own.dtype, stored=True)
            start.append(Copy(array, 0, self.view(operand).reshape(-1)))
            carry.append(array)
            self.views[own] = array.codes(own.shape)
        rows = []
        for own, operand in pairs[last:]:
            if own in self.moving and own.size:
                row = self.arrays.new(own.size, own.dtype, stored=True, base=f"x{len(self.arrays.all)}")
                self.views[own] = row.codes(own.shape)
                rows.append((row, self.whole(body, self.view(operand).reshape(-1))))
        around = self.build(inner, body)
        results = []
        for value in inner.results[last - first :]:
            whole = self.arrays.new(length * value.size, value.dtype, stored=True, base=self.form.far)
            row = self.arrays.new(value.size, value.dtype, stored=True, base=f"y{len(self.arrays.all)}")
            around.end.append(Copy(row, 0, self.view(value).reshape(-1)))
            results.append((row, whole))
        around.end += self.carried_on(around, carry, [self.view(v) for v in inner.results[: last - first]])
        for array in (*carry, *(row for row, _ in rows), *(row for row, _ in results)):
            if array.dtype == "int64":
                raise Unsupported("64-bit integers that a loop carries, reads or writes")
        number = body.turns(Turns(equation, around, carry, start, rows, results))
        for array in (*carry, *(whole for _, whole in results)):
            array.body, array.group = body, number
        shapes = [value.shape for value in equation.results]
        arrays = [*carry, *(whole for _, whole in results)]
        return [array.codes(shape) for array, shape in zip(arrays, shapes, strict=True)]

    def carried_on(self, body: Body, carry: list[Array], views: list[Codes]) -> list[Copy]:
        """Copies of the new values into the carry; what reads the carry itself is copied away first."""
        copies = []
        for array, view in zip(carry, views, strict=True):
            view = view.reshape(-1)
            if np.array_equal(view, array.codes(view.shape)):
                continue
            if any(other in carry for other in self.arrays.of(view)):
                view = self.copied(body, view)
            copies.append(Copy(array, 0, view))
        return copies

    def whole(self, body: Body, view: Codes) -> Codes:
        """A view whose elements follow one another in one stored array."""
        arrays = self.arrays.of(view)
        if len(arrays) > 1 or step(view) != 1 or arrays[0].local or arrays[0].base == "s" != self.form.far:
            view = self.copied(body, view, self.form.far)
        self.arrays.at(view[0])[0].stored = True
        return view
