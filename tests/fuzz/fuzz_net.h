/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Entry that feeds any bytes to the reader of network files and aborts when it breaks a promise. Used
 * by the libFuzzer program and by tests/test_net_file.c.
 */
#ifndef NTH_TESTS_FUZZ_NET_H
#define NTH_TESTS_FUZZ_NET_H

#include <stddef.h>
#include <stdint.h>

extern long         nth_fuzz_net_accepted; /* inputs found sound so far */
extern volatile int nth_fuzz_net_broken;   /* set before an abort of ours */

int nth_fuzz_net(const uint8_t *bytes, size_t size); /* a file */

#endif
