/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files: what is written is read back; results appear complete or not at all; what users and
 * accidents bring (foreign types, damage, NaN, full disks) ends in one clear message.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "h5_foreign.h"
#include "nth/build_info.h"
#include "nth/file.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "nth_test_file_XXXXXX";
static char path[64], partial[80], foreign[64];

static const nth_provenance prov = { "nth test --seed 7", "{\"command\": \"test\"}", 18446744073709551615u, 3 };

static bool there(const char *name) { return access(name, F_OK) == 0; }

static void start(void)
{
    (void)remove(path);
    (void)remove(partial);
}

static void round_trip(void)
{
    static double a[3 * 5 * 7], b[3 * 5 * 7];
    nth_file     *f = NULL;
    int           rank = -1;
    ptrdiff_t     dims[NTH_MAX_RANK];
    const int64_t widths[3] = { 6, 16, 1 };
    int64_t       back[4];
    ptrdiff_t     count = 4;
    char          word[8];
    double        x = 0.0;
    start();
    for (int i = 0; i < 105; ++i) a[i] = 1.0 / (i + 1);
    if (!NTH_CHECK_OK(nth_file_create(&f, path, &prov))) return;
    NTH_CHECK_OK(nth_file_write(f, "/deep/down/K", a, 3, (ptrdiff_t[]){ 3, 5, 7 }));
    NTH_CHECK_OK(nth_file_write(f, "/t", a, 1, (ptrdiff_t[]){ 4 }));
    NTH_CHECK_OK(nth_file_write(f, "/loss", a + 1, 0, NULL));
    NTH_CHECK_OK(nth_file_write(f, "/nothing", a, 2, (ptrdiff_t[]){ 0, 3 }));
    NTH_CHECK_OK(nth_file_write(f, "/t", a + 9, 1, (ptrdiff_t[]){ 2 })); /* replaced */
    NTH_CHECK_OK(nth_file_set_ints(f, "/net", "widths", widths, 3));
    NTH_CHECK_OK(nth_file_set_string(f, "/net", "activation", "relu"));
    NTH_CHECK_OK(nth_file_set_string(f, "/net", "activation", "tanh"));
    NTH_CHECK_OK(nth_file_set_double(f, "/t", "unit", 0.1));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK(f == NULL);

    if (!NTH_CHECK_OK(nth_file_open(&f, path))) return;
    NTH_CHECK_OK(nth_file_shape(f, "/deep/down/K", &rank, dims));
    NTH_CHECK(rank == 3 && dims[0] == 3 && dims[1] == 5 && dims[2] == 7);
    NTH_CHECK_OK(nth_file_read(f, "/deep/down/K", b, 105));
    NTH_CHECK(memcmp(a, b, sizeof a) == 0);
    NTH_CHECK_OK(nth_file_read(f, "/t", b, 2));
    NTH_CHECK(b[0] == a[9] && b[1] == a[10]);
    NTH_CHECK_OK(nth_file_read(f, "/loss", b, 1));
    NTH_CHECK(b[0] == 0.5);
    NTH_CHECK_OK(nth_file_read(f, "/nothing", b, 0));
    NTH_CHECK_OK(nth_file_get_ints(f, "/net", "widths", back, &count));
    NTH_CHECK(count == 3 && memcmp(back, widths, sizeof widths) == 0);
    NTH_CHECK_OK(nth_file_get_string(f, "/net", "activation", word, sizeof word));
    NTH_CHECK(strcmp(word, "tanh") == 0);
    NTH_CHECK_STATUS(nth_file_get_string(f, "/net", "activation", word, 4), NTH_E_RANGE);
    NTH_CHECK_OK(nth_file_get_double(f, "/t", "unit", &x));
    NTH_CHECK(x == 0.1);
    NTH_CHECK(nth_file_has(f, "/deep/down") && !nth_file_has(f, "/deep/up/K") && !nth_file_has(f, ""));
    NTH_CHECK(nth_file_has(f, "/") && nth_file_has_attr(f, "/", "seed") && !nth_file_has_attr(f, "/x", "y"));
    NTH_CHECK_STATUS(nth_file_write(f, "/t", a, 0, NULL), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_file_set_double(f, "/", "x", 1.0), NTH_E_ARG);
    nth_file_close(&f);
}

/* Larger than one chunk, extents that chunks do not divide: compressed, and the same bits come back. */
static void large_arrays_are_compressed(void)
{
    enum { N = 521, D = 523 };
    double     *a = malloc(sizeof(double) * N * D), *b = malloc(sizeof(double) * N * D);
    nth_file   *f = NULL;
    struct stat s;
    start();
    for (int i = 0; i < N * D; ++i) a[i] = i % 17;
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_write(f, "/K", a, 2, (ptrdiff_t[]){ N, D }));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK(stat(path, &s) == 0 && s.st_size < (off_t)(sizeof(double) * N * D / 4));
    NTH_CHECK_OK(nth_file_open(&f, path));
    NTH_CHECK_OK(nth_file_read(f, "/K", b, N * D));
    NTH_CHECK(memcmp(a, b, sizeof(double) * N * D) == 0);
    nth_file_close(&f);
    free(a);
    free(b);
}

static void provenance_is_complete(void)
{
    static const char *const words[] = { "nth_version", "git_revision",   "command_line", "config", "blas",
                                         "compiler",    "compiler_flags", "build_type",   "gsl",    "hdf5",
                                         "vector_math", "cpu", "onednn",  "created",      "status" };
    char                     text[1024];
    nth_file                *f = NULL;
    int64_t                  n = -1;
    ptrdiff_t                one = 1;
    double                   x = -1.0;
    start();
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_get_string(f, "/", "status", text, sizeof text));
    NTH_CHECK(strcmp(text, "partial") == 0);
    NTH_CHECK(there(partial) && !there(path));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK(!there(partial) && there(path));
    NTH_CHECK_OK(nth_file_open(&f, path));
    for (size_t i = 0; i < sizeof words / sizeof *words; ++i) {
        NTH_CHECK_OK(nth_file_get_string(f, "/", words[i], text, sizeof text));
        NTH_CHECK(text[0] != '\0');
    }
    NTH_CHECK(strcmp(text, "complete") == 0);
    NTH_CHECK_OK(nth_file_get_string(f, "/", "config", text, sizeof text));
    NTH_CHECK(strcmp(text, prov.config) == 0);
    NTH_CHECK_OK(nth_file_get_string(f, "/", "created", text, sizeof text));
    NTH_CHECK(strlen(text) == 20 && text[10] == 'T' && text[19] == 'Z');
    NTH_CHECK_OK(nth_file_get_ints(f, "/", "threads", &n, &one));
    NTH_CHECK(n == 3 && one == 1);
    NTH_CHECK_OK(nth_file_get_double(f, "/", "seed", &x));
    NTH_CHECK(x == 18446744073709551616.0); /* unsigned, rounded to double */
    NTH_CHECK_OK(nth_file_get_double(f, "/", "peak_memory", &x));
    NTH_CHECK(x > 1e6 && x < 1e12);
    NTH_CHECK_OK(nth_file_get_double(f, "/", "duration", &x));
    NTH_CHECK(islessequal(0.0, x) && islessequal(x, 60.0));
    nth_file_close(&f);
}

static void interrupted_runs_resume(void)
{
    const nth_provenance other = { "", "{\"command\": \"test\", \"order\": 3}", 1, 1 };
    nth_file            *f = NULL;
    bool                 resumed = true;
    double               x = 4.5;
    start();
    NTH_CHECK_OK(nth_file_resume(&f, path, &prov, &resumed));
    NTH_CHECK(!resumed);
    NTH_CHECK_OK(nth_file_write(f, "/members/a", &x, 0, NULL));
    nth_file_close(&f);
    NTH_CHECK(there(partial) && !there(path));
    NTH_CHECK_OK(nth_file_resume(&f, path, &prov, &resumed));
    NTH_CHECK(resumed && nth_file_has(f, "/members/a"));
    NTH_CHECK_OK(nth_file_write(f, "/members/b", &x, 0, NULL));
    nth_file_close(&f);
    NTH_CHECK_STATUS(nth_file_resume(&f, path, &other, &resumed), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("another configuration");
    NTH_CHECK(f == NULL && there(partial));
    NTH_CHECK_OK(nth_file_resume(&f, path, &prov, &resumed));
    NTH_CHECK(resumed && nth_file_has(f, "/members/a") && nth_file_has(f, "/members/b"));
    NTH_CHECK_OK(nth_file_get_double(f, "/", "resumed", &x));
    NTH_CHECK(x == 2.0);
    NTH_CHECK_OK(nth_file_set_string(f, "/", "nth_version", "0.0.0"));
    nth_file_close(&f);
    NTH_CHECK_STATUS(nth_file_resume(&f, path, &prov, &resumed), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("interrupted run of nth 0.0.0");
    start();
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_write(f, "/members/a", &x, 0, NULL));
    NTH_CHECK_OK(nth_file_commit(&f));
    NTH_CHECK_OK(nth_file_resume(&f, path, &prov, &resumed)); /* a new run beside the finished one */
    NTH_CHECK(!resumed && !nth_file_has(f, "/members/a"));
    nth_file_close(&f);
    NTH_CHECK(truncate(partial, 300) == 0);
    NTH_CHECK_STATUS(nth_file_resume(&f, path, &prov, &resumed), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("damaged; remove it");
    NTH_CHECK_OK(nth_file_create(&f, path, &prov)); /* starting afresh replaces it */
    nth_file_close(&f);
}

/* A process that dies without closing leaves the file as it was at the last flush. */
static void killed_runs_resume(void)
{
    nth_file *f = NULL;
    bool      resumed = false;
    double    x[3] = { 1.0, 2.0, 3.0 }, y[3];
    char      saved[96], command[256];
    start();
    snprintf(saved, sizeof saved, "%s.saved", partial);
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_write(f, "/members/a", x, 1, (ptrdiff_t[]){ 3 }));
    NTH_CHECK_OK(nth_file_flush(f));
    for (int i = 0; i < 12000; ++i) { /* much metadata, none of it flushed */
        char name[32];
        snprintf(name, sizeof name, "/members/b%d", i);
        if (nth_file_write(f, name, x, 1, (ptrdiff_t[]){ 3 }) != NTH_OK) break;
    }
    snprintf(command, sizeof command, "cp %s %s", partial, saved); /* what the disk holds at this moment */
    NTH_CHECK(system(command) == 0);
    nth_file_close(&f);
    NTH_CHECK(rename(saved, partial) == 0);
    NTH_CHECK_OK(nth_file_resume(&f, path, &prov, &resumed));
    NTH_CHECK(resumed && nth_file_has(f, "/members/a") && !nth_file_has(f, "/members/b1"));
    NTH_CHECK_OK(nth_file_read(f, "/members/a", y, 3));
    NTH_CHECK(memcmp(x, y, sizeof x) == 0);
    nth_file_close(&f);
}

static void foreign_files_are_read(void)
{
    nth_file *f = NULL;
    double    x[6];
    char      word[16];
    int64_t   w[3];
    ptrdiff_t count = 3, dims[NTH_MAX_RANK];
    int       rank;
    if (!NTH_CHECK_OK(nth_file_open(&f, foreign))) return;
    NTH_CHECK_OK(nth_file_read(f, "/ints", x, 6));
    NTH_CHECK(x[0] == 1.0 && x[5] == -6.0);
    NTH_CHECK_OK(nth_file_read(f, "/floats", x, 4));
    NTH_CHECK(x[2] == -2.25);
    NTH_CHECK_OK(nth_file_get_ints(f, "/", "widths", w, &count));
    NTH_CHECK(count == 3 && w[1] == 16);
    static const char *const keys[] = { "variable", "fixed", "padded" };
    for (int i = 0; i < 3; ++i) {
        NTH_CHECK_OK(nth_file_get_string(f, "/", keys[i], word, sizeof word));
        NTH_CHECK(strcmp(word, "tanh") == 0);
    }
    char full[65];
    NTH_CHECK_OK(nth_file_get_string(f, "/", "full", full, sizeof full));
    NTH_CHECK(strcmp(full, NTH_TEST_FULL_TEXT) == 0);
    NTH_CHECK_STATUS(nth_file_get_string(f, "/", "full", full, 64), NTH_E_RANGE);
    NTH_CHECK_STATUS(nth_file_shape(f, "/deep", &rank, dims), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("/deep has 6 dimensions");
    NTH_CHECK_STATUS(nth_file_shape(f, "/huge", &rank, dims), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("larger than any memory");
    NTH_CHECK_STATUS(nth_file_read(f, "/complex", x, 4), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("/complex does not hold numbers");
    NTH_CHECK_STATUS(nth_file_read(f, "/group", x, 4), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("/group is not a dataset");
    NTH_CHECK(!nth_file_has(f, "/dangling"));
    NTH_CHECK_STATUS(nth_file_read(f, "/dangling", x, 4), NTH_E_FORMAT);
    NTH_CHECK_STATUS(nth_file_read(f, "/ints", x, 5), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("/ints has 6 entries, 5 are expected");
    NTH_CHECK_MESSAGE(foreign);
    NTH_CHECK_STATUS(nth_file_read(f, "/absent/x", x, 5), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("has no dataset /absent/x");
    NTH_CHECK_OK(nth_file_shape(f, "/none", &rank, dims));
    NTH_CHECK(rank == 1 && dims[0] == 0);
    count = 2;
    NTH_CHECK_STATUS(nth_file_get_ints(f, "/", "widths", w, &count), NTH_E_FORMAT);
    NTH_CHECK_STATUS(nth_file_get_ints(f, "/", "fixed", w, &count), NTH_E_FORMAT);
    NTH_CHECK_STATUS(nth_file_get_double(f, "/", "widths", x), NTH_E_FORMAT);
    NTH_CHECK_STATUS(nth_file_get_string(f, "/", "widths", word, sizeof word), NTH_E_FORMAT);
    NTH_CHECK_STATUS(nth_file_get_string(f, "/", "absent", word, sizeof word), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("has no attribute absent");
    nth_file_close(&f);
}

static void non_finite_entries_are_named(void)
{
    nth_file *f = NULL;
    double    x[12] = { 0 }, y[12];
    start();
    x[7] = (double)NAN, x[10] = (double)INFINITY;
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_write(f, "/x", x, 2, (ptrdiff_t[]){ 4, 3 }));
    NTH_CHECK_STATUS(nth_file_read(f, "/x", y, 12), NTH_E_NUMERIC);
    NTH_CHECK_MESSAGE("/x: entry (2,1) is nan");
    NTH_CHECK_OK(nth_file_read_any(f, "/x", y, 12));
    NTH_CHECK(isnan(y[7]) && isinf(y[10]));
    nth_file_close(&f);
}

static void bad_files_are_refused(void)
{
    nth_file *f = NULL;
    FILE     *plain = NULL;
    start();
    NTH_CHECK_STATUS(nth_file_open(&f, path), NTH_E_IO);
    NTH_CHECK_MESSAGE("No such file");
    NTH_CHECK_STATUS(nth_file_open(&f, ""), NTH_E_ARG);
    NTH_CHECK_STATUS(nth_file_open(&f, folder), NTH_E_IO);
    NTH_CHECK_MESSAGE("is a directory");
    plain = fopen(path, "w");
    fputs("x,y\n1,2\n", plain);
    fclose(plain);
    NTH_CHECK_STATUS(nth_file_open(&f, path), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("not an HDF5 file");
    NTH_CHECK(nth_test_foreign_file(path) == 0);
    NTH_CHECK(truncate(path, 1000) == 0);
    NTH_CHECK_STATUS(nth_file_open(&f, path), NTH_E_FORMAT);
    NTH_CHECK_MESSAGE("damaged or truncated");
    NTH_CHECK(f == NULL);
    nth_file_close(&f);
    nth_file_close(NULL);
}

static void unwritable_places_are_named(void)
{
    nth_file *f = NULL, *g = NULL;
    char      name[96];
    bool      resumed;
    start();
    snprintf(name, sizeof name, "%s/absent/out.h5", folder);
    NTH_CHECK_STATUS(nth_file_create(&f, name, &prov), NTH_E_IO);
    NTH_CHECK_MESSAGE("No such file or directory");
    snprintf(name, sizeof name, "%s/out.h5", foreign);
    NTH_CHECK_STATUS(nth_file_resume(&f, name, &prov, &resumed), NTH_E_IO);
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_STATUS(nth_file_create(&g, path, &prov), NTH_E_IO);
    NTH_CHECK_MESSAGE("being written by another program");
    NTH_CHECK_OK(nth_file_commit(&f)); /* unharmed */
    if (geteuid() == 0) return;        /* root may write anywhere */
    NTH_CHECK(chmod(folder, 0500) == 0);
    NTH_CHECK_STATUS(nth_file_create(&f, path, &prov), NTH_E_IO);
    NTH_CHECK_MESSAGE("Permission denied");
    NTH_CHECK(chmod(folder, 0700) == 0);
}

/* A limit on the file size stands in for a full disk. */
static void full_disk_is_one_error(void)
{
    enum { N = 1 << 16 };
    double       *a = malloc(sizeof(double) * N);
    nth_file     *f = NULL;
    struct rlimit old, small;
    start();
    for (int i = 0; i < N; ++i) a[i] = sin(i);
    NTH_CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    signal(SIGXFSZ, SIG_IGN);
    small = old, small.rlim_cur = 100000;
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    nth_status st = nth_file_write(f, "/K", a, 2, (ptrdiff_t[]){ N / 256, 256 });
    if (st == NTH_OK) st = nth_file_commit(&f);
    else nth_file_close(&f);
    NTH_CHECK(st == NTH_E_IO && f == NULL && !there(path));
    NTH_CHECK_MESSAGE("File too large");
    start();
    small.rlim_cur = 1000;
    NTH_CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    NTH_CHECK_STATUS(nth_file_create(&f, path, &prov), NTH_E_IO);
    NTH_CHECK_MESSAGE("File too large");
    NTH_CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    NTH_CHECK_OK(nth_file_create(&f, path, &prov)); /* room again */
    NTH_CHECK_OK(nth_file_commit(&f));
    free(a);
}

/* ---- Matrices in parts -------------------------------------------------------------------------- */

static nth_status collect(const char *name, void *ctx)
{
    char *all = ctx;
    strcat(strcat(all, name), " ");
    return strcmp(name, "c") == 0 ? NTH_E_INTERRUPTED : NTH_OK;
}

static void groups_are_listed(void)
{
    nth_file *f = NULL;
    char      all[64] = "";
    double    x = 0.0;
    start();
    NTH_CHECK_OK(nth_file_create(&f, path, &prov));
    NTH_CHECK_OK(nth_file_write(f, "/m/b", &x, 0, NULL));
    NTH_CHECK_OK(nth_file_write(f, "/m/a", &x, 0, NULL));
    NTH_CHECK_OK(nth_file_list(f, "/m", collect, all));
    NTH_CHECK(strcmp(all, "a b ") == 0);
    NTH_CHECK_OK(nth_file_write(f, "/m/d", &x, 0, NULL));
    NTH_CHECK_OK(nth_file_write(f, "/m/c", &x, 0, NULL));
    NTH_CHECK_STATUS(nth_file_list(f, "/m", collect, all), NTH_E_INTERRUPTED);
    NTH_CHECK(strcmp(all, "a b a b c ") == 0);
    NTH_CHECK_STATUS(nth_file_list(f, "/n", collect, all), NTH_E_FORMAT);
    nth_file_close(&f);
}

static nth_status write_and_read(void)
{
    nth_file  *f = NULL;
    double     x = 1.5;
    char       word[8];
    bool       resumed;
    nth_status st;
    start();
    st = nth_file_resume(&f, path, &prov, &resumed);
    if (st == NTH_OK) st = nth_file_write(f, "/x", &x, 0, NULL);
    nth_file_close(&f);
    if (st == NTH_OK) st = nth_file_resume(&f, path, &prov, &resumed);
    if (st == NTH_OK) st = nth_file_set_string(f, "/", "word", "abc");
    if (st == NTH_OK) st = nth_file_get_string(f, "/", "word", word, sizeof word);
    if (st == NTH_OK) st = nth_file_commit(&f);
    nth_file_close(&f);
    if (st == NTH_OK) st = nth_file_open(&f, path);
    nth_file_close(&f);
    return st;
}

static void survives_lack_of_memory(void) { nth_test_every_allocation_fails(write_and_read); }

static void build_is_described(void)
{
    const nth_build_info b = nth_build_info_get();
    const size_t         digits = strspn(b.git_revision, "0123456789abcdef");
    NTH_CHECK((digits == 40 && b.git_revision[40] == '\0') || strcmp(b.git_revision, "unknown") == 0);
    NTH_CHECK(b.version[0] != '\0' && strstr(b.compiler_flags, "-ffp-contract=off") != NULL);
    NTH_CHECK(strstr(b.compiler_flags, "/") == NULL); /* no paths of the machine that built it */
    nth_threads_set(0);
    NTH_CHECK(nth_threads_get() >= 1);
}

int main(void)
{
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/out.h5", folder);
    snprintf(partial, sizeof partial, "%s.partial", path);
    snprintf(foreign, sizeof foreign, "%s/foreign.h5", folder);
    if (nth_test_foreign_file(foreign) != 0) return 1;
    const int status = nth_test_main("file", (nth_test_case[]){ { "round_trip", round_trip },
                                                { "large_arrays_are_compressed", large_arrays_are_compressed },
                                                { "provenance_is_complete", provenance_is_complete },
                                                { "interrupted_runs_resume", interrupted_runs_resume },
                                                { "killed_runs_resume", killed_runs_resume },
                                                { "foreign_files_are_read", foreign_files_are_read },
                                                { "non_finite_entries_are_named", non_finite_entries_are_named },
                                                { "bad_files_are_refused", bad_files_are_refused },
                                                { "unwritable_places_are_named", unwritable_places_are_named },
                                                { "full_disk_is_one_error", full_disk_is_one_error },
                                                { "groups_are_listed", groups_are_listed },
                                                { "survives_lack_of_memory", survives_lack_of_memory },
                                                { "build_is_described", build_is_described },
                                                { 0 } });
    (void)remove(foreign);
    start();
    (void)rmdir(folder);
    return status;
}
