// What XLA calls: hands the pointers of operands and results to a kernel that engine/kernel wrote.
#include <exception>
#include <vector>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

extern "C" void undertow_paths(const void* const* in, void* const* out, long count);

static ffi::Error run(ffi::RemainingArgs operands, ffi::RemainingRets results, int64_t count) {
  std::vector<const void*> in;
  std::vector<void*> out;
  for (size_t i = 0; i < operands.size(); ++i) {
    auto operand = operands.get<ffi::AnyBuffer>(i);
    if (operand.has_error()) return operand.error();
    in.push_back(operand->untyped_data());
  }
  for (size_t i = 0; i < results.size(); ++i) {
    auto result = results.get<ffi::AnyBuffer>(i);
    if (result.has_error()) return result.error();
    out.push_back((*result)->untyped_data());
  }
  try {
    undertow_paths(in.data(), out.data(), static_cast<long>(count));
  } catch (const std::exception& error) {
    return ffi::Error::Internal(error.what());
  }
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER_SYMBOL(undertow_handler, run,
                              ffi::Ffi::Bind().RemainingArgs().RemainingRets().Attr<int64_t>("count"));
