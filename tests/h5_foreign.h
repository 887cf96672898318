/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An HDF5 file such as other programs write (h5_foreign.c). Returns 0 when it was written.
 */
#ifndef NTH_TESTS_H5_FOREIGN_H
#define NTH_TESTS_H5_FOREIGN_H

#define NTH_TEST_FULL_TEXT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

int nth_test_foreign_file(const char *path);

#endif
