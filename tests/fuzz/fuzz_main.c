/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libFuzzer's entry; the build says which function it feeds (tests/fuzz/CMakeLists.txt).
 */
#include <stddef.h>
#include <stdint.h>

int NTH_FUZZ_ENTRY(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) { return NTH_FUZZ_ENTRY(bytes, size); }
