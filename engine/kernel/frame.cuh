// A path on LANES threads of a warp: arithmetic and memory of the kernels that engine/kernel writes for GPUs.
#ifdef EMULATED
#define DEVICE
#define KNOWN(address) (*(address))
#define OPAQUE(pointer) (void)pointer
#define KERNEL static void
#else
#include <stdint.h>
#include <string.h>
#define DEVICE __device__
#ifndef BLOCKS
#define BLOCKS 1
#endif
#define KERNEL extern "C" __global__ void __launch_bounds__(WARPS * 32, BLOCKS)
#undef NAN
#undef INFINITY
#define NAN __int_as_float(0x7fffffff)
#define INFINITY __int_as_float(0x7f800000)
#define FETCH(T, memory, at) as_##T((memory)[at])
#define STORE(memory, at, value) ((memory)[at] = as_word(value))
#define KNOWN(address) __ldg(address)
// A pointer in registers: with what it is made of, the compiler would add that anew for every address.
#define OPAQUE(pointer) asm("" : "+l"(pointer)); __builtin_assume(__isGlobal(pointer))
#define SYNC __syncwarp()
#endif
#define IN static DEVICE __inline__
#define GROUPS (WARPS * 32 / LANES)

typedef float vf;
typedef int32_t vi;
typedef uint32_t vu;
typedef int64_t vl;
typedef vi vb;  // 0 or -1

IN float as_float(uint32_t a) { return __uint_as_float(a); }
IN int32_t as_int32_t(uint32_t a) { return (int32_t)a; }
IN uint32_t as_uint32_t(uint32_t a) { return a; }
IN uint32_t as_word(float a) { return __float_as_uint(a); }
IN uint32_t as_word(int32_t a) { return (uint32_t)a; }
IN uint32_t as_word(uint32_t a) { return a; }

IN vf all(float a) { return a; }
IN vi all(int32_t a) { return a; }
IN vu all(uint32_t a) { return a; }
IN vl all(long long a) { return a; }

// Elements of a path's memory and of a table of words.
#define F(memory, at) FETCH(float, memory, at)
#define I(memory, at) FETCH(int32_t, memory, at)
#define U(memory, at) FETCH(uint32_t, memory, at)
#define B(memory, at) FETCH(int32_t, memory, at)
#define PUT(T, memory, at, value) PUT_##T(memory, at, value)
#define PUT_F(memory, at, value) STORE(memory, at, (vf)(value))
#define PUT_I(memory, at, value) STORE(memory, at, (vi)(value))
#define PUT_U(memory, at, value) STORE(memory, at, (vu)(value))
#define PUT_B(memory, at, value) STORE(memory, at, (vb)(value))
#define KF(table, at) as_float(KNOWN((table) + (at)))
#define KI(table, at) as_int32_t(KNOWN((table) + (at)))
#define KU(table, at) KNOWN((table) + (at))
#define KB(table, at) as_int32_t(KNOWN((table) + (at)))
#define KL(table, at) ((vl)((uint64_t)KU(table, at) | (uint64_t)KU(table, (at) + 1) << 32))
#define TABLE(name, from, first) const uint32_t* name = (const uint32_t*)(from) + (first); OPAQUE(name)

// Paths in rounds, the same number of them in all warps; elements over the lanes; totals across them.
#define PATHS(paths)                                                                                           \
  extern __shared__ uint32_t shared[];                                                                         \
  const long count = (paths);                                                                                  \
  const int lane = threadIdx.x % LANES, group = threadIdx.x / LANES;                                           \
  uint32_t* const s = shared + group * MEMORY;                                                                 \
  uint32_t* g = scratch + (int64_t)(blockIdx.x * GROUPS + group) * SCRATCH;                                    \
  OPAQUE(g);                                                                                                   \
  (void)lane;                                                                                                  \
  _Pragma("unroll 1") for (long first = (long)blockIdx.x * GROUPS; first < count; first += (long)gridDim.x * GROUPS) \
    if (const long path = first + group < count ? first + group : count - 1; (SYNC, true))
#define FOR(count) _Pragma("unroll 1") for (int e = lane; e < (count); e += LANES)
#define ALL(count) _Pragma("unroll") for (int e = lane; e < (count); e += LANES)
#define TURNS(turn, count) _Pragma("unroll 1") for (int turn = 0; turn < (count); ++turn)
#define SUM(rows, T, terms, term, put)                         \
  if (lane < (rows)) {                                         \
    T a = 0;                                                   \
    _Pragma("unroll 8") for (int j = 0; j < (terms); ++j) a += term; \
    put                                                        \
  }
#define ONE if (lane == 0)
#define ACROSS(d) _Pragma("unroll") for (int d = LANES / 2; d; d /= 2)
template <int lanes, class T> IN T other(T a, int d) { return __shfl_xor_sync(0xffffffffu, a, d, lanes); }

template <class T> IN T choose(vb c, T a, T b) { return c ? a : b; }
template <class T> IN T zero(T) { return T(0); }
template <class T> IN vb equal(T a, T b) { return -(vb)(a == b); }
template <class T> IN vb less(T a, T b) { return -(vb)(a < b); }
template <class T> IN vb at_most(T a, T b) { return -(vb)(a <= b); }

// Not-a-number passes on, as in JAX.
#ifdef EMULATED
IN vf larger(vf a, vf b) { return a != a ? a : a > b ? a : b; }
IN vf smaller(vf a, vf b) { return a != a ? a : a < b ? a : b; }
#else
IN vf larger(vf a, vf b) { vf c; asm("max.NaN.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b)); return c; }
IN vf smaller(vf a, vf b) { vf c; asm("min.NaN.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b)); return c; }
#endif
IN vf larger_n(vf a, vf b) { return larger(a, b); }
IN vf smaller_n(vf a, vf b) { return smaller(a, b); }

template <class T> IN vf to_f(T a) { return (vf)a; }
template <class T> IN vi to_i(T a) { return (vi)a; }
template <class T> IN vu to_u(T a) { return (vu)a; }
template <class T> IN vl to_l(T a) { return (vl)a; }
IN vf mask_to_f(vb a) { return a ? 1.0f : 0.0f; }
IN vi mask_to_i(vb a) { return a & 1; }
IN vu mask_to_u(vb a) { return (vu)a & 1u; }
IN vl mask_to_l(vb a) { return a & 1; }

IN vf magnitude(vf a) { return fabsf(a); }
IN vi magnitude(vi a) { return a < 0 ? -a : a; }
IN vf sign(vf a) { return a > 0.0f ? 1.0f : a < 0.0f ? -1.0f : a; }
IN vi sign(vi a) { return (a > 0) - (a < 0); }
IN vb finite(vf a) { return -(vb)(fabsf(a) < INFINITY); }
IN vf nearest(vf a) { return rintf(a); }
IN vf nearest_away(vf a) { return roundf(a); }
IN vf down(vf a) { return floorf(a); }
IN vf up(vf a) { return ceilf(a); }
IN vf root(vf a) { return sqrtf(a); }
IN vf exponential(vf a) { return expf(a); }
IN vf exponential_m1(vf a) { return expm1f(a); }
IN vf power_of_two(vf a) { return exp2f(a); }
IN vf logarithm(vf a) { return logf(a); }
IN vf logarithm_1p(vf a) { return log1pf(a); }
IN vf power(vf a, vf b) { return powf(a, b); }
IN vf logistic(vf a) { return 1.0f / (1.0f + expf(-a)); }
IN vf tangent(vf a) { return tanhf(a); }
