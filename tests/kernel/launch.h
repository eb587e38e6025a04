// Behind a kernel that emulate.h runs: what bridge.cc calls.
uint32_t shared[GROUPS * MEMORY];
extern "C" void undertow_paths(const void* const* in, void* const* out, long) {
  emulated::launch(undertow_lanes, in, OPERANDS, out, shared, WARPS, GRID, LANES, MEMORY, SCRATCH);
}
