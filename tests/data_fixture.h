/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A temporary folder with tiny data files, for the tests of data/.
 */
#ifndef NTH_TESTS_DATA_FIXTURE_H
#define NTH_TESTS_DATA_FIXTURE_H

#include <stddef.h>

/* Makes the folder; removed with all in it by nth_fixture_end. */
void nth_fixture_begin(void);
void nth_fixture_end(void);
/* "FOLDER/name"; the text lives until the 32nd call after this one. */
const char *nth_fixture_path(const char *name);
/* "before FOLDER/name after", likewise. */
const char *nth_fixture_spec(const char *before, const char *name, const char *after);
void        nth_fixture_write(const char *name, const void *bytes, size_t size);
void        nth_fixture_text(const char *name, const char *text);

/* cifar/: five training batches of 20 records, one test batch of 20. Record i of the training set
 * (of 100) has label i % 10 and pixel j equal to (7 i + j) % 256; of the test set (i + 3) % 10 and
 * (11 i + j) % 256. */
void nth_fixture_cifar(void);
/* mnist/: 50 training and 20 test images of 3 x 2 pixels, labels i % 10, pixel j = (5 i + j) % 256. */
void nth_fixture_mnist(void);
/* uci/tiny: 8 rows, 2 inputs (i, -i), classes i % 3. */
void nth_fixture_uci(void);

#endif
