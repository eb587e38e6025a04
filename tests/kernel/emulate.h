// A GPU's warps on a host, in front of frame.cuh: every thread is a fibre, a warp's threads run one after the other from one
// wait to the next. Each access to a path's memory is held against those of the path's other lanes since the last wait: a
// read of what another lane has written, or a write of what another one has read or written, is an error. Only the memory of
// the path is watched, and only waits order it: an exchange of numbers between lanes does not.
#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#define EMULATED
#define __inline__ inline
#define __shared__
#define FETCH(T, memory, at) as_##T(emulated::read(&(memory)[at]))
#define STORE(memory, at, value) emulated::write(&(memory)[at], as_word(value))
#define SYNC emulated::wait()
#define __shfl_xor_sync(mask, value, lanes, width) emulated::exchange(value, lanes)

static struct { unsigned x; } threadIdx, blockIdx, gridDim;
static uint32_t __float_as_uint(float a) { uint32_t word; memcpy(&word, &a, 4); return word; }
static float __uint_as_float(uint32_t word) { float a; memcpy(&a, &word, 4); return a; }

namespace emulated {
constexpr size_t STACK = 16 << 20;
enum Where { RUNNING, WAITING, EXCHANGING, ENDED };

// Who has touched a word in the stretch between two waits. `early` have read it before they wrote it themselves.
struct Word { uint32_t stretch = 0, writers = 0, early = 0; };
struct Fibre { ucontext_t context; jmp_buf here; bool begun; Where where; uint32_t stretch; uint32_t given; void* stack; };

static uint32_t* memories[2];      // the paths' near memory of a block, their far memory
static size_t sizes[2], shares[2];  // words in all, words of a path
static std::vector<Word> words[2];
static std::vector<Fibre> fibres;
static ucontext_t scheduler;
static jmp_buf back;
static unsigned lanes;
static std::string complaint;

static Fibre& self() { return fibres[threadIdx.x]; }

static void complain(const char* what, int memory, size_t at) {
  if (complaint.empty())
    complaint = std::string("lane ") + std::to_string(threadIdx.x % lanes) + " " + what + " word " +
                std::to_string(shares[memory] ? at % shares[memory] : at) + (memory ? " of far memory" : " of near memory") +
                " without a wait";
}

static Word* word(const uint32_t* address, int* memory, size_t* at) {
  for (*memory = 0; *memory < 2; ++*memory) {
    *at = address - memories[*memory];
    if (address >= memories[*memory] && *at < sizes[*memory]) {
      const size_t own = (*memory ? blockIdx.x * fibres.size() / lanes : 0) + threadIdx.x / lanes;
      if (*at / shares[*memory] != own) complain("reaches beyond its path for", *memory, *at);
      Word* found = &words[*memory][*at];
      if (found->stretch != self().stretch) *found = {self().stretch, 0, 0};
      return found;
    }
  }
  complain("reaches beyond all memory for", 0, 0);
  return nullptr;
}

static uint32_t read(const uint32_t* address) {
  int memory;
  size_t at;
  const uint32_t own = 1u << threadIdx.x % lanes;
  Word* found = word(address, &memory, &at);
  if (!found) return 0;
  if (!(found->writers & own)) {
    if (found->writers) complain("reads what another lane wrote,", memory, at);
    found->early |= own;
  }
  return *address;
}

static void write(uint32_t* address, uint32_t value) {
  int memory;
  size_t at;
  const uint32_t own = 1u << threadIdx.x % lanes;
  Word* found = word(address, &memory, &at);
  if (!found) return;
  if (found->early & ~own) complain("writes what another lane has read,", memory, at);
  if (found->writers & ~own && *address != value) complain("writes another number than another lane,", memory, at);
  found->writers |= own;
  *address = value;
}

static void pause(Where where) {
  Fibre& own = self();
  own.where = where;
  if (!_setjmp(own.here)) _longjmp(back, 1);
}

// A context is entered once; from then on jumps are quicker, which make no call of the system.
static void resume(Fibre& fibre) {
  if (_setjmp(back)) return;
  if (fibre.begun) _longjmp(fibre.here, 1);
  fibre.begun = true;
  swapcontext(&scheduler, &fibre.context);
}

static void wait() { pause(WAITING); ++self().stretch; }

template <class T> static T exchange(T value, int distance) {
  memcpy(&self().given, &value, 4);
  pause(EXCHANGING);
  memcpy(&value, &fibres[threadIdx.x ^ distance].given, 4);
  pause(EXCHANGING);
  return value;
}

// One warp from its begin to its end; its threads must wait and exchange in the same places.
static void warp(unsigned first) {
  for (bool all = false; !all;) {
    for (unsigned thread = first; thread < first + 32; ++thread) {
      threadIdx.x = thread;
      if (fibres[thread].where != ENDED) {
        fibres[thread].where = RUNNING;
        resume(fibres[thread]);
      }
    }
    all = fibres[first].where == ENDED;
    for (unsigned thread = first; thread < first + 32; ++thread)
      if (fibres[thread].where != fibres[first].where || fibres[thread].stretch != fibres[first].stretch)
        throw std::runtime_error("the threads of a warp part");
  }
}

template <class K> static K* kernel;
template <class K> static void* const* pointers;
template <class... A, size_t... i> static void call(void (*run)(A...), void* const* from, std::index_sequence<i...>) {
  run((A)from[i]...);
}
template <class... A> static void body() {
  using K = void(A...);
  call(kernel<K>, pointers<K>, std::index_sequence_for<A...>{});
  pause(ENDED);
}

template <class... A> static void launch(void (*run)(A...), const void* const* in, int operands, void* const* out,
                                         uint32_t* near, unsigned warps, unsigned grid, unsigned width, size_t near_words,
                                         size_t far_words) {
  using K = void(A...);
  static std::mutex one;
  const std::lock_guard<std::mutex> alone(one);
  std::vector<void*> all;
  for (size_t i = 0; i < sizeof...(A); ++i) all.push_back(i < (size_t)operands ? (void*)in[i] : out[i - operands]);
  kernel<K> = run;
  pointers<K> = all.data();
  lanes = width;
  const size_t groups = warps * 32 / width;
  memories[0] = near, memories[1] = (uint32_t*)all.back();
  shares[0] = near_words, shares[1] = far_words;
  sizes[0] = groups * near_words, sizes[1] = grid * groups * far_words;
  for (int i = 0; i < 2; ++i) words[i].assign(sizes[i], {});
  complaint.clear();
  gridDim.x = grid;
  fibres.resize(warps * 32);
  for (Fibre& fibre : fibres) {
    fibre.stretch = 0;
    fibre.stack = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  for (blockIdx.x = 0; blockIdx.x < grid; ++blockIdx.x) {
    for (size_t i = 0; i < sizes[0]; ++i) near[i] = 0x7fc00000u;  // not a number
    for (Fibre& fibre : fibres) {
      fibre.where = RUNNING, fibre.begun = false, ++fibre.stretch;
      getcontext(&fibre.context);
      fibre.context.uc_stack = {fibre.stack, 0, STACK};
      fibre.context.uc_link = nullptr;
      makecontext(&fibre.context, body<A...>, 0);
    }
    for (unsigned first = 0; first < warps * 32; first += 32) warp(first);
  }
  for (Fibre& fibre : fibres) munmap(fibre.stack, STACK);
  if (!complaint.empty()) throw std::runtime_error(complaint);
}
}  // namespace emulated
