/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Entries that feed any bytes to a reader of data/ and abort when it breaks a promise. Used by the
 * libFuzzer programs (one for each) and by tests/test_data_mutants.c.
 */
#ifndef NTH_TESTS_FUZZ_DATA_H
#define NTH_TESTS_FUZZ_DATA_H

#include <stddef.h>
#include <stdint.h>

extern long nth_fuzz_accepted; /* inputs found sound so far */

int nth_fuzz_spec(const uint8_t *bytes, size_t size);  /* a spec, then options, after a newline */
int nth_fuzz_cifar(const uint8_t *bytes, size_t size); /* a batch */
int nth_fuzz_idx(const uint8_t *bytes, size_t size);   /* size of the image file (1 byte), it, labels */
int nth_fuzz_csv(const uint8_t *bytes, size_t size);   /* kind of load (1 byte), the table */
int nth_fuzz_uci(const uint8_t *bytes, size_t size);   /* NAME.txt 0xff NAME_R.dat 0xff conxuntos.dat */

#endif
