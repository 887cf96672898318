/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Entries that feed any bytes to the readers of base/ and abort when one breaks a promise. Used by
 * the libFuzzer programs and by tests/test_base_mutants.c.
 */
#ifndef NTH_TESTS_FUZZ_BASE_H
#define NTH_TESTS_FUZZ_BASE_H

#include <stddef.h>
#include <stdint.h>

extern long         nth_fuzz_base_accepted; /* inputs found sound so far */
extern volatile int nth_fuzz_base_broken;   /* set before an abort of ours */

int nth_fuzz_config(const uint8_t *bytes, size_t size); /* command (1 byte), JSON text */
int nth_fuzz_line(const uint8_t *bytes, size_t size);   /* command (1 byte), words ended by newlines */
int nth_fuzz_hdf5(const uint8_t *bytes, size_t size);   /* a file */

#endif
