/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nth lantk: the label-aware part Z of K^(HR) = K + lambda Z (E73-E79), from the kernel of a file and the labels
 * of a data set: /Z, /Z_test, /Z_test_diag and, for choices that must not see the labels held out, /fold and /fold_<f>/Z.
 *
 * Neither the base kernel nor Z is held in memory: tiles are read, and written where they belong.
 */
#include "commands.h"
#include "gram.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nth/lantk.h"
#include "nth/regress.h"

/* What is counted while tiles of a model go by. */
typedef struct figures {
    double sum, largest, largest_test; /* sum |Z| over pairs of kept samples; largest |Z| */
} figures;

typedef struct job {
    cli              *c;
    cli_problem       p;
    nth_lantk_options opt;
    ptrdiff_t         folds, edge, done;
    double           *fold; /* (n) */
    nth_file         *base, *out;
    nth_lantk        *z;
    nth_mat          *tile;   /* (folds + 1) */
    double           *values; /* (folds + 2) x edge x edge: the tiles, and one turned */
    figures          *seen;   /* (folds + 1) */
    double           *diag;   /* (k) Z of each test input with itself; NULL if the base file lacks the kernel's */
} job;

static bool has_features(const job *j) { return j->opt.variant >= NTH_LANTK_LS_V1; }
static bool is_sketch(const job *j) { return j->opt.variant >= NTH_LANTK_FJLT_V1; }

/* ---- Options and files -------------------------------------------------------------------------- */

static nth_status take_options(job *j)
{
    cli              *c = j->c;
    const nth_config *cfg = c->cfg;
    int               v = 0;
    while (strcmp(cfg->variant, nth_lantk_variant_name((nth_lantk_variant)v)) != 0) ++v; /* one of the words */
    j->opt = (nth_lantk_options){ .variant = (nth_lantk_variant)v,
                                  .intercept = strcmp(cfg->pair_intercept, "yes") == 0,
                                  .standardize = strcmp(cfg->pair_standardize, "yes") == 0,
                                  .ridge = cfg->pair_ridge,
                                  .epsilon = cfg->sketch_epsilon,
                                  .seed = cfg->seed,
                                  .permute = nth_config_given(cfg, "permute-labels"),
                                  .permute_seed = cfg->permute_labels };
    if (j->opt.intercept && !has_features(j))
        return cli_fail(c, NTH_E_ARG, "--intercept yes does not go with --variant %s; it belongs to ls and fjlt", cfg->variant);
    if (j->opt.standardize && !has_features(j))
        return cli_fail(c, NTH_E_ARG, "--standardize yes does not go with --variant %s; it belongs to ls and fjlt", cfg->variant);
    if (j->opt.ridge > 0.0 && (v == NTH_LANTK_KR_V1 || is_sketch(j)))
        return cli_fail(c, NTH_E_ARG, "--ridge does not go with --variant %s; it belongs to kr-v2, ls-v1 and ls-v2", cfg->variant);
    return NTH_OK;
}

static nth_status check_block(job *j, const char *name, ptrdiff_t rows)
{
    nth_status st = NTH_OK;
    int        rank;
    ptrdiff_t  dims[NTH_MAX_RANK];
    CLI_TRY(nth_file_shape(j->base, name, &rank, dims));
    if (rank != 2 || dims[0] != rows || dims[1] != j->p.n)
        st = cli_fail(j->c, NTH_E_SHAPE, "%s: %s is %td x %td (rank %d); %td x %td is expected: %s has %td training and %td test inputs",
                      j->c->cfg->base, name, dims[0], dims[1], rank, rows, j->p.n, j->c->cfg->data, j->p.n, j->p.k);
done:
    return st;
}

static nth_status read_base(nth_mat tile, ptrdiff_t row, ptrdiff_t col, void *ctx)
{
    const job *j = ctx;
    return row < j->p.n ? nth_file_read_part(j->base, "/K", row, col, tile)
                        : nth_file_read_part(j->base, "/K_test", row - j->p.n, col, tile);
}

static nth_status load(job *j)
{
    nth_status        st = NTH_OK;
    const nth_config *cfg = j->c->cfg;
    CLI_TRY(take_options(j));
    CLI_TRY(cli_problem_load(j->c, &j->p, false, false));
    st = nth_targets_check(nth_const(j->p.data->y), j->p.data->y.cols == 1 ? NTH_TASK_BINARY : NTH_TASK_MULTICLASS, false);
    if (st != NTH_OK) return cli_fail(j->c, st, "%s: %s", cfg->data, nth_last_error().message);
    cli_tell_absent_classes(j->c, j->p.data, cfg->data);
    CLI_TRY(nth_file_open(&j->base, cfg->base));
    CLI_TRY(check_block(j, "/K", j->p.n));
    if (j->p.k > 0) CLI_TRY(check_block(j, "/K_test", j->p.k));
    cli_tell_other_data(j->c, j->base, cfg->base);
    CLI_TRY(cli_folds(j->c, &j->folds, &j->fold, j->p.n, false));
done:
    return st;
}

/* What the library says of labels and inputs concerns the data, the rest the base kernel. */
static nth_status of_file(const job *j, nth_status st)
{
    const char *said = nth_last_error().message;
    if (st == NTH_OK || j->c->message[0] != '\0' || (st != NTH_E_NUMERIC && st != NTH_E_RANGE) ||
        strstr(said, j->c->cfg->base) != NULL)
        return st;
    const bool data = st == NTH_E_RANGE || (strstr(said, "kernel") == NULL && strstr(said, "weights") == NULL);
    return cli_fail(j->c, st, "%s: %s", data ? j->c->cfg->data : j->c->cfg->base, said);
}

/* ---- Tiles of Z --------------------------------------------------------------------------------- */

static void name_of(char *out, size_t size, ptrdiff_t model)
{
    if (model == 0) snprintf(out, size, "/Z");
    else snprintf(out, size, "/fold_%td/Z", model);
}

static bool kept(const job *j, ptrdiff_t model, ptrdiff_t i) { return model == 0 || j->fold[i] != (double)model; }

/* Pairs below the diagonal count twice. */
static void count(const job *j, ptrdiff_t model, nth_mat Z, ptrdiff_t row, ptrdiff_t col)
{
    figures *s = &j->seen[model];
    for (ptrdiff_t i = 0; i < Z.rows; ++i) {
        double sum = 0.0;
        for (ptrdiff_t q = 0; q < Z.cols && col + q <= row + i; ++q)
            if (kept(j, model, row + i) && kept(j, model, col + q)) sum += (col + q == row + i ? 1.0 : 2.0) * fabs(Z.a[i * Z.ld + q]);
        s->sum += sum;
    }
    s->largest = fmax(s->largest, cli_max_abs(Z.a, Z.rows * Z.cols));
}

/* One tile of the lower triangle of each model, and its mirror image. */
static nth_status train_tile(job *j, ptrdiff_t row, ptrdiff_t col)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t r = j->p.n - row < j->edge ? j->p.n - row : j->edge, c = j->p.n - col < j->edge ? j->p.n - col : j->edge;
    double         *turned = j->values + (j->folds + 1) * j->edge * j->edge;
    char            name[64];
    for (ptrdiff_t f = 0; f <= j->folds; ++f) j->tile[f] = nth_mat_of(j->values + f * j->edge * j->edge, r, c);
    CLI_TRY(nth_lantk_tile(j->tile, j->z, row, col));
    for (ptrdiff_t f = 0; f <= j->folds; ++f) {
        const nth_mat Z = j->tile[f];
        for (ptrdiff_t a = 0; a < r && row == col; ++a)
            for (ptrdiff_t b = 0; b < a; ++b) Z.a[b * c + a] = Z.a[a * c + b];
        count(j, f, Z, row, col);
        name_of(name, sizeof name, f);
        CLI_TRY(nth_file_write_part(j->out, name, row, col, nth_const(Z)));
        if (row == col) continue;
        for (ptrdiff_t a = 0; a < r; ++a)
            for (ptrdiff_t b = 0; b < c; ++b) turned[b * r + a] = Z.a[a * c + b];
        CLI_TRY(nth_file_write_part(j->out, name, col, row, nth_cmat_of(turned, c, r)));
    }
done:
    return st;
}

static nth_status test_tile(job *j, ptrdiff_t row, ptrdiff_t col)
{
    nth_status      st = NTH_OK;
    const ptrdiff_t r = j->p.k - row < j->edge ? j->p.k - row : j->edge, c = j->p.n - col < j->edge ? j->p.n - col : j->edge;
    for (ptrdiff_t f = 1; f <= j->folds; ++f) j->tile[f] = (nth_mat){ 0 };
    j->tile[0] = nth_mat_of(j->values, r, c);
    CLI_TRY(nth_lantk_tile(j->tile, j->z, j->p.n + row, col));
    j->seen[0].largest_test = fmax(j->seen[0].largest_test, cli_max_abs(j->values, r * c));
    CLI_TRY(nth_file_write_part(j->out, "/Z_test", row, col, nth_const(j->tile[0])));
done:
    return st;
}

static nth_status advance(job *j, nth_status st)
{
    if (st != NTH_OK) return st;
    cli_progress_update(j->c, ++j->done);
    return cli_interrupted() ? NTH_E_INTERRUPTED : NTH_OK;
}

/* /Z_test_diag (k), from /K_test_diag or /K_test_test of the base. */
static nth_status test_diagonal(job *j)
{
    nth_status st = NTH_OK;
    cli_gram   base = { .file = j->base, .n = j->p.n, .k = j->p.k, .name = "/K" };
    double    *K = NULL;
    bool       there = false;
    if (j->p.k == 0) return NTH_OK;
    snprintf(base.path, sizeof base.path, "%s", j->c->cfg->base);
    CLI_TRY(cli_doubles(j->c, &K, (double)j->p.k, "diagonal"));
    CLI_TRY(cli_gram_test_diagonal(j->c, &base, K, &there));
    if (!there) goto done;
    CLI_TRY(cli_doubles(j->c, &j->diag, (double)j->p.k, "diagonal"));
    CLI_TRY(nth_lantk_diagonal(j->diag, j->z, j->p.n, j->p.k, K));
    CLI_TRY(nth_file_write(j->out, "/Z_test_diag", j->diag, 1, &j->p.k));
done:
    free(K);
    return st;
}

static nth_status work(job *j)
{
    nth_status      st = NTH_OK;
    char            name[64];
    const ptrdiff_t n = j->p.n, k = j->p.k, e = j->edge, side = (n + e - 1) / e, test_side = (k + e - 1) / e;
    for (ptrdiff_t f = 0; f <= j->folds; ++f) {
        name_of(name, sizeof name, f);
        CLI_TRY(nth_file_make_matrix(j->out, name, n, n));
    }
    if (k > 0) CLI_TRY(nth_file_make_matrix(j->out, "/Z_test", k, n));
    if (j->folds > 0) CLI_TRY(nth_file_write(j->out, "/fold", j->fold, 1, &n));
    CLI_TRY(cli_doubles(j->c, &j->values, (double)(j->folds + 2) * (double)e * (double)e, "tiles"));
    j->tile = calloc((size_t)(j->folds + 1), sizeof *j->tile);
    j->seen = calloc((size_t)(j->folds + 1), sizeof *j->seen);
    if (j->tile == NULL || j->seen == NULL) return cli_fail(j->c, NTH_E_NOMEM, "out of memory");
    cli_progress_begin(j->c, "tiles", nth_lantk_steps(j->z) + side * (side + 1) / 2 + test_side * side);
    for (ptrdiff_t s = 0; s < nth_lantk_steps(j->z); ++s) CLI_TRY(advance(j, nth_lantk_gather(j->z, s)));
    for (ptrdiff_t row = 0; row < n; row += e)
        for (ptrdiff_t col = 0; col <= row; col += e) CLI_TRY(advance(j, train_tile(j, row, col)));
    for (ptrdiff_t row = 0; row < k; row += e)
        for (ptrdiff_t col = 0; col < n; col += e) CLI_TRY(advance(j, test_tile(j, row, col)));
    CLI_TRY(test_diagonal(j));
done:
    cli_progress_end(j->c);
    return st;
}

/* ---- What is said ------------------------------------------------------------------------------- */

static nth_status set_known(nth_file *f, const char *object, const char *key, double value)
{
    return isnan(value) ? NTH_OK : nth_file_set_double(f, object, key, value);
}

static double mean_abs_Z(const job *j, ptrdiff_t model, const nth_lantk_info *i)
{
    return j->seen[model].sum / ((double)i->kept * (double)i->kept);
}

static nth_status write_model(job *j, ptrdiff_t model)
{
    nth_status           st = NTH_OK;
    const nth_lantk_info i = nth_lantk_get_info(j->z, model);
    char                 name[64], key[64];
    name_of(name, sizeof name, model);
    CLI_TRY(nth_file_set_string(j->out, name, "variant", j->c->cfg->variant));
    CLI_TRY(nth_file_set_ints(j->out, name, "samples", (const int64_t[]){ i.kept }, 1));
    CLI_TRY(nth_file_set_double(j->out, name, "mean_abs_K", i.mean_K));
    CLI_TRY(nth_file_set_double(j->out, name, "mean_abs_Z", mean_abs_Z(j, model, &i)));
    CLI_TRY(set_known(j->out, name, "condition", i.condition));
    if (!has_features(j)) CLI_TRY(nth_file_set_double(j->out, name, "range_K", i.range));
    for (ptrdiff_t f = 0; f < i.features; ++f) {
        snprintf(key, sizeof key, "w_%s", nth_lantk_feature_name(f));
        CLI_TRY(nth_file_set_double(j->out, name, key, i.w[f]));
    }
    if (!has_features(j)) goto done;
    CLI_TRY(nth_file_set_double(j->out, name, "constant", i.constant));
    CLI_TRY(nth_file_set_double(j->out, name, "r2", i.r2));
    CLI_TRY(nth_file_set_ints(j->out, name, "dropped", (const int64_t[]){ i.dropped }, 1));
    if (is_sketch(j)) CLI_TRY(nth_file_set_ints(j->out, name, "sketch_rows", (const int64_t[]){ i.rows }, 1));
    CLI_TRY(set_known(j->out, name, "excess", i.excess));
done:
    return st;
}

static nth_status write_root(job *j)
{
    nth_status st = NTH_OK;
    char       text[24];
    CLI_TRY(nth_file_set_string(j->out, "/", "variant", j->c->cfg->variant));
    CLI_TRY(nth_file_set_ints(j->out, "/", "folds", (const int64_t[]){ j->folds }, 1));
    snprintf(text, sizeof text, "%" PRIu64, j->opt.permute_seed);
    CLI_TRY(nth_file_set_string(j->out, "/", "permuted_labels", j->opt.permute ? text : "no"));
done:
    return st;
}

static void say_fit(cli *c, const job *j, const nth_lantk_info *i)
{
    nth_json *w = nth_json_object();
    cli_say(c, "R^2 %.6g of T on pairs of training inputs, condition of the correlation matrix %.4g, %td direction%s dropped\n",
            i->r2, i->condition, i->dropped, i->dropped == 1 ? "" : "s");
    nth_json_set_double(c->json, "r2", i->r2);
    nth_json_set_int(c->json, "dropped", i->dropped);
    if (is_sketch(j)) {
        cli_say(c, "sketch of %td rows: sum of squares %.4g %% above exact least squares\n", i->rows, 100.0 * i->excess);
        nth_json_set_int(c->json, "sketch_rows", i->rows);
        nth_json_set_double(c->json, "excess", i->excess);
    }
    for (ptrdiff_t f = 0; f < i->features; ++f) {
        cli_say(c, "%-17s %14.6g\n", nth_lantk_feature_name(f), i->w[f]);
        nth_json_set_double(w, nth_lantk_feature_name(f), i->w[f]);
    }
    if (j->opt.intercept || j->opt.standardize) cli_say(c, "%-17s %14.6g\n", "constant", i->constant);
    nth_json_set_double(c->json, "constant", i->constant);
    nth_json_set(c->json, "w", w);
}

static void say(job *j)
{
    cli                 *c = j->c;
    const nth_lantk_info i = nth_lantk_get_info(j->z, 0);
    const double         mean = mean_abs_Z(j, 0, &i);
    char                 name[64];
    cli_say(c, "%s: %td training and %td test inputs, base kernel %s%s\n", c->cfg->variant, j->p.n, j->p.k, c->cfg->base,
            j->opt.permute ? ", labels permuted" : "");
    for (ptrdiff_t f = 0; f <= j->folds; ++f) {
        name_of(name, sizeof name, f);
        cli_report_shape(c, name, 2, (ptrdiff_t[]){ j->p.n, j->p.n }, j->seen[f].largest);
        if (f == 0 && j->p.k > 0) cli_report_shape(c, "/Z_test", 2, (ptrdiff_t[]){ j->p.k, j->p.n }, j->seen[0].largest_test);
        if (f == 0 && j->diag != NULL) cli_report_dataset(c, "/Z_test_diag", j->diag, 1, &j->p.k);
    }
    if (j->p.k > 0 && j->diag == NULL)
        cli_say(c, "/Z_test_diag is left out: %s has neither /K_test_diag (%td) nor /K_test_test (%td,%td), the kernel of each test input with itself\n",
                c->cfg->base, j->p.k, j->p.k, j->p.k);
    nth_json_set_bool(c->json, "test_diagonal", j->diag != NULL);
    cli_say(c, "mean |K| %.6g, mean |Z| %.6g: weight = %.6g r (E74)\n", i.mean_K, mean, i.mean_K / mean);
    nth_json_set_string(c->json, "variant", c->cfg->variant);
    nth_json_set_int(c->json, "n", j->p.n);
    nth_json_set_int(c->json, "k", j->p.k);
    nth_json_set_int(c->json, "folds", j->folds);
    nth_json_set_bool(c->json, "permuted_labels", j->opt.permute);
    nth_json_set_double(c->json, "mean_abs_K", i.mean_K);
    nth_json_set_double(c->json, "mean_abs_Z", mean);
    if (!isnan(i.condition)) nth_json_set_double(c->json, "condition", i.condition);
    if (has_features(j)) say_fit(c, j, &i);
}

nth_status cmd_lantk(cli *c)
{
    nth_status       st = NTH_OK;
    job              j = { .c = c };
    nth_lantk_source src;
    CLI_TRY(load(&j));
    CLI_TRY(cli_disk_check(c, 8.0 * (double)j.p.n * ((double)(j.folds + 1) * (double)j.p.n + (double)j.p.k)));
    CLI_TRY(cli_create(c, &j.out));
    src = (nth_lantk_source){ .X = j.p.X, .X_test = j.p.X_test, .Y = nth_const(j.p.data->y), .read = read_base, .ctx = &j,
                              .fold = j.fold, .folds = j.folds };
    CLI_TRY(of_file(&j, nth_lantk_create(&j.z, &src, &j.opt)));
    j.edge = nth_lantk_tile_size(j.z);
    CLI_TRY(of_file(&j, work(&j)));
    for (ptrdiff_t f = 0; f <= j.folds; ++f) CLI_TRY(write_model(&j, f));
    CLI_TRY(write_root(&j));
    CLI_TRY(nth_file_commit(&j.out));
    say(&j);
    cli_say(c, "written to %s\n", c->cfg->out);
done:
    cli_discard(c, &j.out);
    nth_file_close(&j.base);
    nth_lantk_destroy(&j.z);
    cli_problem_free(&j.p);
    free(j.fold), free(j.tile), free(j.values), free(j.seen), free(j.diag);
    return st;
}
