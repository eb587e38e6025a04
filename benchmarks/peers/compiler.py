"""Numba, or plain Python where it is not installed: the same loops, read by the interpreter (for tests)."""

from collections.abc import Callable
from typing import Any

try:
    import numba
    from numba import carray, cfunc, njit, prange, types
    from numba.extending import intrinsic

    @intrinsic
    def select(context, which, yes, no):
        """One of two numbers, without a branch."""

        def plain(context, builder, signature, arguments):
            which, yes, no = arguments
            return builder.select(which, yes, no)

        return yes(types.boolean, yes, yes), plain

    def use_threads(threads: int | None) -> int:
        """So many threads from now on, all where none are given; their number."""
        threads = threads or numba.config.NUMBA_NUM_THREADS
        numba.set_num_threads(threads)
        return threads

except ImportError:
    carray = cfunc = None
    prange = range

    def njit(function: Callable | None = None, **_: Any) -> Any:
        """The function as it is."""
        return function or (lambda function: function)

    def select(which, yes, no):
        """One of two numbers."""
        return yes if which else no

    def use_threads(threads: int | None) -> int:
        """One thread unless so many are given."""
        return threads or 1
