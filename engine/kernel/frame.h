// Vectors of W paths: arithmetic of the kernels that engine/kernel writes, for g++ and clang++.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#ifdef __SSE__
#include <immintrin.h>
#endif

#ifndef W
#ifdef __AVX512F__
#define W 16
#else
#define W 8
#endif
#endif
#define IN static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(4 * W), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * W), may_alias));
typedef uint32_t vu __attribute__((vector_size(4 * W), may_alias));
typedef int64_t vl __attribute__((vector_size(8 * W), may_alias));
typedef vi vb;  // 0 or -1

IN vf all(float a) { return (vf){} + a; }
IN vi all(int32_t a) { return (vi){} + a; }
IN vu all(uint32_t a) { return (vu){} + a; }
IN vl all(long long a) { return (vl){} + (int64_t)a; }

// Elements of a path's memory and of a table of words.
#define F(memory, at) (((vf*)(memory))[at])
#define I(memory, at) (((vi*)(memory))[at])
#define U(memory, at) (((vu*)(memory))[at])
#define B(memory, at) (((vb*)(memory))[at])
#define L(memory, at) (*(vl*)((vf*)(memory) + (at)))
#define TABLE(name, from, first) const uint32_t* const name = (const uint32_t*)(from) + (first); (void)name
#define PUT(T, memory, at, value) (T(memory, at) = (value))
#define FOR(count) for (long e = 0; e < (count); ++e)
#define TURNS(turn, count) for (long turn = 0; turn < (count); ++turn)
IN float float_of(uint32_t word) { float a; memcpy(&a, &word, 4); return a; }
#define KF(table, at) all(float_of((table)[at]))
#define KI(table, at) all((int32_t)(table)[at])
#define KU(table, at) all((table)[at])
#define KB(table, at) all((int32_t)(table)[at])
#define KL(table, at) all((long long)((uint64_t)(table)[at] | (uint64_t)(table)[(at) + 1] << 32))

#define CHOOSE(T) IN T choose(vb c, T a, T b) { return c ? a : b; }
CHOOSE(vf) CHOOSE(vi) CHOOSE(vu)
IN vl choose(vb c, vl a, vl b) { return __builtin_convertvector(c, vl) ? a : b; }
template <class T> IN T zero(T) { return T{}; }
#define COMPARE(T)                                  \
  IN vb equal(T a, T b) { return (vb)(a == b); }    \
  IN vb less(T a, T b) { return (vb)(a < b); }      \
  IN vb at_most(T a, T b) { return (vb)(a <= b); }
COMPARE(vf) COMPARE(vi) COMPARE(vu)
IN vb equal(vl a, vl b) { return __builtin_convertvector(a == b, vb); }
IN vb less(vl a, vl b) { return __builtin_convertvector(a < b, vb); }
IN vb at_most(vl a, vl b) { return __builtin_convertvector(a <= b, vb); }

// Not-a-number passes on, as in JAX.
IN vf larger(vf a, vf b) { vf c = a > b ? a : b; return a != a ? a : c; }
IN vf smaller(vf a, vf b) { vf c = a < b ? a : b; return a != a ? a : c; }
// The first operand is a number.
IN vf larger_n(vf a, vf b) { return a > b ? a : b; }
IN vf smaller_n(vf a, vf b) { return a < b ? a : b; }

IN vf to_f(vf a) { return a; }
IN vf to_f(vi a) { return __builtin_convertvector(a, vf); }
IN vf to_f(vu a) { return __builtin_convertvector((vi)(a >> 16), vf) * 65536.0f + __builtin_convertvector((vi)(a & 0xFFFFu), vf); }
IN vf to_f(vl a) { return __builtin_convertvector(a, vf); }
IN vi to_i(vi a) { return a; }
IN vi to_i(vu a) { return (vi)a; }
IN vi to_i(vl a) { return __builtin_convertvector(a, vi); }
IN vi to_i(vf a) { return __builtin_convertvector(a, vi); }
IN vu to_u(vu a) { return a; }
IN vu to_u(vi a) { return (vu)a; }
IN vu to_u(vl a) { return __builtin_convertvector(a, vu); }
IN vu to_u(vf a) { return __builtin_convertvector(a, vu); }
IN vl to_l(vl a) { return a; }
IN vl to_l(vi a) { return __builtin_convertvector(a, vl); }
IN vl to_l(vu a) { return __builtin_convertvector(a, vl); }
IN vf mask_to_f(vb a) { return (vf)(a & (vi)all(1.0f)); }
IN vi mask_to_i(vb a) { return a & 1; }
IN vu mask_to_u(vb a) { return (vu)(a & 1); }
IN vl mask_to_l(vb a) { return __builtin_convertvector(a & 1, vl); }

IN vf magnitude(vf a) { return (vf)((vi)a & 0x7fffffff); }
IN vi magnitude(vi a) { return a < 0 ? -a : a; }
IN vb finite(vf a) { return (vb)(magnitude(a) < INFINITY); }
IN vf sign(vf a) { return a > 0.0f ? all(1.0f) : a < 0.0f ? all(-1.0f) : a; }
IN vi sign(vi a) { return a > 0 ? all(1) : a < 0 ? all(-1) : a; }
// Whole numbers: from 2^23 on every float is one, and adding 2^23 rounds a smaller one.
IN vf with_sign(vf a, vf b) { return (vf)((vi)a | ((vi)b & (int32_t)0x80000000)); }
IN vf nearest(vf a) {
  const vf shift = with_sign(all(8388608.0f), a);
  return magnitude(a) < 8388608.0f ? with_sign((a + shift) - shift, a) : a;
}
IN vf down(vf a) { vf b = nearest(a); return b > a ? b - 1.0f : b; }
IN vf up(vf a) { vf b = nearest(a); return with_sign(b < a ? b + 1.0f : b, a); }
IN vf nearest_away(vf a) {
  vf b = down(magnitude(a)), rest = magnitude(a) - b;
  return with_sign(rest >= 0.5f ? b + 1.0f : b, a);
}
IN vf root(vf a) {
#if defined(__AVX512F__) && W == 16
  return (vf)_mm512_sqrt_ps((__m512)a);
#elif defined(__AVX__) && W == 8
  return (vf)_mm256_sqrt_ps((__m256)a);
#else
  vf r;
  for (int i = 0; i < W; ++i) r[i] = sqrtf(a[i]);
  return r;
#endif
}

// 2^whole, in two factors so that the least and the largest powers are reached.
IN vf scale(vf a, vf whole) {
  vi n = __builtin_convertvector(whole, vi), half = n >> 1;
  return a * (vf)((half + 127) << 23) * (vf)((n - half + 127) << 23);
}
// e^(x + rest) - 1 for |x| <= ln 2 / 2 (Cephes, expf).
IN vf small_exponential(vf r) {
  vf e = 1.9875691500e-4f * r + 1.3981999507e-3f;
  e = e * r + 8.3334519073e-3f; e = e * r + 4.1665795894e-2f;
  e = e * r + 1.6666665459e-1f; e = e * r + 5.0000001201e-1f;
  return e * (r * r) + r;
}
IN vf whole_part(vf a) { const vf magic = all(12582912.0f); return (a + magic) - magic; }
IN vf exponential(vf x) {
  vf y = x < -104.0f ? all(-104.0f) : x > 89.0f ? all(89.0f) : x;
  vf whole = whole_part(y * 1.44269504088896f);
  vf r = (y - whole * 0.693359375f) + whole * 2.12194440e-4f;
  return x != x ? x : scale(small_exponential(r) + 1.0f, whole);
}
IN vf exponential_m1(vf x) {
  vf near = x < -0.35f ? all(0.0f) : x > 0.35f ? all(0.0f) : x;
  vf small = small_exponential(near), wide = exponential(x) - 1.0f;
  return magnitude(x) <= 0.35f ? small : wide;
}
IN vf power_of_two(vf x) {
  vf y = x < -150.0f ? all(-150.0f) : x > 129.0f ? all(129.0f) : x;
  vf whole = whole_part(y), r = (y - whole) * 0.693147180559945f;
  return x != x ? x : scale(small_exponential(r) + 1.0f, whole);
}
// ln x = whole ln 2 + ln(1 + r) with ln(1 + r) = r + rest (Cephes, logf); x positive and finite.
struct Parts { vf whole, r, rest; };
IN Parts logarithm_parts(vf x) {
  vb tiny = (vb)(x < 1.17549435e-38f);
  x = tiny ? x * 8388608.0f : x;
  vu shifted = (vu)x - 0x3F3504F3u;
  vf whole = __builtin_convertvector((vi)shifted >> 23, vf) - (tiny ? all(23.0f) : all(0.0f));
  vf r = (vf)((shifted & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f, z = r * r;
  vf p = 7.0376836292e-2f * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f; p = p * r - 1.2420140846e-1f; p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f; p = p * r + 2.0000714765e-1f; p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  return {whole, r, r * z * p - 0.5f * z};
}
IN vf logarithm(vf x) {
  Parts a = logarithm_parts(x);
  vf y = a.r + (a.rest - a.whole * 2.12194440e-4f) + a.whole * 0.693359375f;
  vf edge = x == 0.0f ? all(-INFINITY) : x == INFINITY ? x : all(NAN);
  return (x > 0.0f) & (x < INFINITY) ? y : edge;
}
IN vf logarithm_1p(vf x) {
  vf one = x + 1.0f, d = one - 1.0f;
  vf y = logarithm(one) * (x / (d == 0.0f ? all(1.0f) : d));
  return d == 0.0f ? x : one == INFINITY ? one : y;
}
// x^y as e^(y ln x), with ln x in two parts so that y ln x loses no digits.
IN vf power(vf x, vf y) {
  vf base = magnitude(x);
  Parts a = logarithm_parts(base);
  vf w = a.whole * 0.693359375f, s = w + a.r, v = s - w;
  vf low = ((w - (s - v)) + (a.r - v)) + (a.rest - a.whole * 2.12194440e-4f);
  vf high = s + low; low = low - (high - s);
  vf p = y * high;
  // What the product lost to rounding (Dekker): both factors in halves of 12 bits.
  vf ya = (vf)((vi)y & -4096), yb = y - ya, ha = (vf)((vi)high & -4096), hb = high - ha;
  vf error = ((ya * ha - p) + ya * hb + yb * ha) + yb * hb + y * low;
  vf sure = p < -104.0f ? all(0.0f) : p > 89.0f ? all(0.0f) : error;
  vf result = exponential(p) * (1.0f + sure);
  vf whole = y < 8388608.0f ? (y > -8388608.0f ? whole_part(y) : y) : y;
  vf half = y * 0.5f, half_whole = magnitude(half) < 4194304.0f ? whole_part(half) : half;
  vb is_whole = (vb)(whole == y), odd = is_whole & (vb)(half_whole != half);
  result = base == 0.0f ? (y > 0.0f ? all(0.0f) : all(INFINITY)) : base == INFINITY ? (y > 0.0f ? base : all(0.0f)) : result;
  vf signed_result = odd ? -result : result;
  vf negative = is_whole ? signed_result : base == INFINITY ? result : all(NAN);
  result = x < 0.0f ? negative : result;
  result = x != x ? x : y != y ? y : result;
  return (x == 1.0f) | (y == 0.0f) ? all(1.0f) : result;
}
IN vf logistic(vf x) { return 1.0f / (1.0f + exponential(-x)); }
IN vf tangent(vf x) {
  vf t = exponential_m1(magnitude(x) * -2.0f), y = -t / (t + 2.0f);
  return x < 0.0f ? -y : x != x ? x : y;
}

// From and to arrays with the path axis last.
template <class T> IN void load(T* to, const void* from, long stride, long count, int lanes) {
  for (long e = 0; e < count; ++e) {
    T v = {};
    memcpy(&v, (const char*)from + e * stride * 4, 4 * lanes);
    to[e] = v;
  }
}
IN void put(void* to, long at, vf v, int lanes) { memcpy((char*)to + 4 * at, &v, 4 * lanes); }
IN void put(void* to, long at, vi v, int lanes) { memcpy((char*)to + 4 * at, &v, 4 * lanes); }
IN void put(void* to, long at, vu v, int lanes) { memcpy((char*)to + 4 * at, &v, 4 * lanes); }
IN void put_mask(void* to, long at, vb v, int lanes) { for (int i = 0; i < lanes; ++i) ((char*)to)[at + i] = v[i] != 0; }
IN void put(void* to, long at, vl v, int lanes) { memcpy((char*)to + 8 * at, &v, 8 * lanes); }

// While there is one, subnormal numbers are zero, whatever the thread that calls has set.
struct Flushed {
#if defined(__SSE__)
  unsigned int before = _mm_getcsr();
  Flushed() { _mm_setcsr(before | 0x8040); }
  ~Flushed() { _mm_setcsr(before); }
#elif defined(__aarch64__)
  uint64_t before;
  Flushed() {
    asm volatile("mrs %0, fpcr" : "=r"(before));
    asm volatile("msr fpcr, %0" : : "r"(before | (uint64_t)1 << 24));
  }
  ~Flushed() { asm volatile("msr fpcr, %0" : : "r"(before)); }
#endif
};

// A thread's memory for one vector of paths, on huge pages where the system has them: that of a large book lies
// on more pages of 4 kB than the processor keeps addresses of.
struct Memory {
  static constexpr size_t page = 2 << 20;
  vf* at = nullptr;
  vf* of(long count) {
    if (at) return at;
    size_t bytes = ((size_t)count * sizeof(vf) + page - 1) / page * page;
    at = (vf*)aligned_alloc(page, bytes);
#if defined(__linux__)
    if (at) madvise(at, bytes, MADV_HUGEPAGE);
#endif
    return at;
  }
  ~Memory() { free(at); }
};
static thread_local Memory memory;
