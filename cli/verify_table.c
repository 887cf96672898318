/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tables of `nth verify theorem-2.1` and `truncation`: claims with one column for each time, local slopes of the
 * theorem under its row, and what the theorem presupposes.
 */
#include "verify_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double INTEGRATOR_ALLOWED = 0.01; /* of |E_t|, docs/verify.md */

static const char *verdict_text(const nth_claim *c)
{
    if (strcmp(c->kind, "report") == 0) return "reported";
    return c->verdict == NTH_HOLDS ? "holds" : c->verdict == NTH_FAILS ? "FAILS" : "UNDECIDED";
}

static void rate_cell(char *out, size_t size, const nth_rate *r, double t, bool in_time, ptrdiff_t all)
{
    char head[32] = "";
    if (!in_time) snprintf(head, sizeof head, "t=%g: ", t);
    if (isfinite(r->slope) && r->points < all)
        snprintf(out, size, "%s%.2f [%.2f, %.2f] (%td of %td above rounding)", head, r->slope, r->low, r->high, r->points, all);
    else if (isfinite(r->slope)) snprintf(out, size, "%s%.2f [%.2f, %.2f]", head, r->slope, r->low, r->high);
    else if (r->points > 1) snprintf(out, size, "%snot finite", head);
    else snprintf(out, size, "%s%td point%s above rounding", head, r->points, r->points == 1 ? "" : "s");
}

static void local_slopes(cli_table *t, const nth_claim *claim, const nth_family *f)
{
    const ptrdiff_t middle = claim->rates / 2;
    const nth_rate *r = &claim->rate[middle];
    char            slopes[400] = "";
    for (ptrdiff_t i = 0, used = 0; i + 1 < r->points && used < 390; ++i)
        used += snprintf(slopes + used, sizeof slopes - (size_t)used, "%s%.2f", i > 0 ? " " : "", r->local[i]);
    if (f->small_time) cli_table_put(t, "local slopes");
    else cli_table_put(t, "local slopes at t=%g", f->times[middle]);
    for (int i = 0; i < 2; ++i) cli_table_put(t, "%s", "");
    cli_table_put(t, "%s", slopes);
    cli_table_put(t, "%s", "");
}

cli_table *verify_table_claims(cli *c, const nth_data *data, const nth_family *families, const nth_claim *claims, ptrdiff_t count)
{
    char       caption[1024];
    cli_table *t;
    snprintf(caption, sizeof caption, "%s (%s), %s: exponents of medians over seeds, sup norm on %s pairs%s, with 95 %% bootstrap intervals.",
             c->cfg->check, c->cfg->preset, data->source, data->x_test.rows > 0 ? "test-train" : "train-train",
             strcmp(c->cfg->check, "truncation") == 0 ? " and over the outputs named" : "");
    t = cli_table_create(caption, "claim|network|predicted|measured|verdict");
    for (ptrdiff_t i = 0; i < count; ++i) {
        const nth_claim  *k = &claims[i];
        const nth_family *f = &families[k->family];
        char              label[96], cells[1536] = "", cell[96], power[32] = "";
        size_t            used = 0;
        nth_family_label(f, label, sizeof label);
        for (ptrdiff_t r = 0; r < k->rates && used < sizeof cells - 100; ++r) {
            rate_cell(cell, sizeof cell, &k->rate[r], f->times[r], f->small_time, f->small_time ? f->n_times : f->n_widths);
            used += (size_t)snprintf(cells + used, sizeof cells - used, "%s%s", r > 0 ? "; " : "", cell);
        }
        if (isfinite(k->predicted)) snprintf(power, sizeof power, "%s^%g", k->variable, k->predicted);
        const char *const row[] = { k->name, label, power, cells, verdict_text(k) };
        for (int j = 0; j < 5; ++j) cli_table_put(t, "%s", row[j]);
        if (strcmp(k->kind, "theorem") == 0) local_slopes(t, k, f);
        if (strcmp(k->kind, "report") != 0 && k->verdict != NTH_HOLDS) ++c->failed_checks;
    }
    return t;
}

nth_status verify_table_preconditions(cli_table **table, cli *c, const nth_sweep *sweep, const nth_family *families, ptrdiff_t count,
                                      double allowed_growth)
{
    nth_status st = NTH_OK;
    const bool levels = strcmp(c->cfg->check, "truncation") == 0;
    char       caption[640];
    cli_table *t;
    snprintf(caption, sizeof caption, "Preconditions, and the constant, the largest %s / bound(m,t) of the theorem (logarithms dropped). integrator: relative "
             "change of %s at the largest width, first network, with a tenth of the tolerance (relu: twice the steps); a smooth one must stay below 0.01.",
             levels ? "|f_t - f_t^(p)|_2, p = 4 (6 if it is there)," : "|E_t|", levels ? "|K_t - K_t^(p)|" : "|E_t|");
    t = *table = cli_table_create(caption, "network|smooth|zero biases|lambda(K_0)|max f_0|window at least m|constant|stays bounded|integrator");
    for (ptrdiff_t f = 0; f < count; ++f) {
        nth_preconditions p;
        char              label[96], growth[48] = "-";
        double            change;
        if (families[f].small_time) continue;
        if (cli_interrupted()) return NTH_E_INTERRUPTED;
        CLI_TRY(nth_sweep_preconditions(sweep, f, &p));
        CLI_TRY(nth_sweep_integrator_change(sweep, f, &change));
        if (p.smooth && !islessequal(change, INTEGRATOR_ALLOWED)) ++c->failed_checks;
        nth_family_label(&families[f], label, sizeof label);
        if (p.smooth && families[f].n_widths > 1) {
            const bool bounded = islessequal(p.constant_growth, allowed_growth);
            snprintf(growth, sizeof growth, "%s (x %.2f)", bounded ? "yes" : "NO", p.constant_growth);
            if (!bounded) ++c->failed_checks;
        }
        cli_table_put(t, "%s", label);
        cli_table_put(t, "%s", p.smooth ? "yes" : "no: outside the theorem");
        cli_table_put(t, "%s", p.unbiased ? "yes" : "no");
        cli_table_put(t, "%.2g .. %.2g", p.lambda_min, p.lambda_max);
        cli_table_put(t, "%.2g", p.output_max);
        cli_table_put(t, "t < %.2g at m=%td", p.window, families[f].widths[0]);
        cli_table_put(t, "%.2g", p.constant);
        cli_table_put(t, "%s", growth);
        cli_table_put(t, "%.1g", change);
    }
done:
    return st;
}
