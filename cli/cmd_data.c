/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth data SPEC --out FILE.h5: any data set as a data file (docs/formats.md).
 */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>

static void report(cli *c, const nth_data *d)
{
    char checksum[20];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, nth_data_checksum(d));
    cli_say(c, "%s: %td training and %td test inputs of dimension %td, %td target%s\n", d->source, d->x.rows,
            d->x_test.rows, d->x.cols, d->y.cols, d->y.cols == 1 ? "" : "s");
    cli_say(c, "preprocessing %s, checksum %s, written to %s\n", d->preprocessing, checksum, c->cfg->out);
    nth_json_set_string(c->json, "source", d->source);
    nth_json_set_string(c->json, "preprocessing", d->preprocessing);
    nth_json_set_int(c->json, "n", d->x.rows);
    nth_json_set_int(c->json, "test", d->x_test.rows);
    nth_json_set_int(c->json, "dimension", d->x.cols);
    nth_json_set_int(c->json, "targets", d->y.cols);
    nth_json_set_int(c->json, "classes", d->classes);
    nth_json_set_string(c->json, "checksum", checksum);
    nth_json_set_string(c->json, "out", c->cfg->out);
}

nth_status cmd_data(cli *c)
{
    nth_status st = NTH_OK;
    nth_data  *d = NULL;
    nth_file  *f = NULL;
    CLI_TRY(cli_load_data(c, &d, c->cfg->spec));
    cli_tell_absent_classes(c, d, c->cfg->spec);
    CLI_TRY(cli_create(c, &f));
    CLI_TRY(nth_data_write(d, f));
    CLI_TRY(nth_file_commit(&f));
    report(c, d);
done:
    nth_file_close(&f);
    nth_data_destroy(&d);
    return st;
}
