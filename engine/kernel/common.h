// What kernels for CPUs and for GPUs have alike, behind either's frame.
#define ORDER(T)                                    \
  IN T larger(T a, T b) { return a > b ? a : b; }   \
  IN T smaller(T a, T b) { return a < b ? a : b; }
ORDER(vi) ORDER(vu) ORDER(vl)

IN vu logical_shift(vu a, vu b) { return a >> b; }
IN vi logical_shift(vi a, vi b) { return (vi)((vu)a >> (vu)b); }

template <class T, class F> IN T bits_as(F a) { T b; memcpy(&b, &a, sizeof b); return b; }

template <int n> IN vf whole_power(vf a) {
  if constexpr (n == 1) return a;
  else if constexpr (n % 2) return a * whole_power<n - 1>(a);
  else { vf b = whole_power<n / 2>(a); return b * b; }
}
