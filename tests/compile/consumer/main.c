/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A user of the installed library: calls it, sees a failure reported, and exits with the verdict.
 */
#include <nth/mat.h>
#include <nth/rng.h>
#include <nth/status.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    double z[3], again[3];
    nth_rand_normals(z, 3, 1, NTH_STREAM_INPUTS, 0, 0);
    nth_rand_normals(again, 3, 1, NTH_STREAM_INPUTS, 0, 0);
    printf("%s: %g %g %g\n", nth_status_name(NTH_OK), z[0], z[1], z[2]);
    return !(memcmp(z, again, sizeof z) == 0 && strcmp(nth_status_name(NTH_E_SHAPE), "NTH_E_SHAPE") == 0);
}
