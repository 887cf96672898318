# Warnings and numeric flags of our own targets; CMAKE_C_FLAGS is left to the user.
add_library(nth_warnings INTERFACE)
target_compile_options(nth_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla
  $<$<C_COMPILER_ID:Clang>:-Wno-pass-failed> # without glibc's vector variants a simd loop stays scalar
  $<$<C_COMPILER_ID:Clang>:-Wno-string-conversion> # NTH_CHECK(!"what went wrong")
  $<$<BOOL:${NTH_WERROR}>:-Werror>
  -fno-math-errno -ffp-contract=off $<$<CONFIG:Release>:-O3>)
