/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether HDF5 survives a file. Called by: the command-line tool, before it opens what a user brings.
 *
 * HDF5 trusts the lengths in a file: on a damaged one it reads outside of its memory, or goes round in circles. A child process
 * does so first: it visits every object, attribute and shape, and reads what is small. Its death is the message.
 */
#include "nth/file.h"
#include "fail_priv.h"
#include "h5_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A walk ends by itself after a second; five of the processor are one call of HDF5 that does not return. */
enum { MAX_SECONDS = 1, CPU_SECONDS = 5, MAX_DEPTH = 16, MAX_PATH = 1024, READ_DOUBLES = 1 << 17, TEXT_BYTES = 1 << 20, MAX_INTS = 64 };

typedef struct probe {
    nth_file       *file;
    const char     *object;
    int             depth;
    ptrdiff_t       left;  /* entries that may still be read */
    struct timespec start;
    char            text[TEXT_BYTES];
    double          x[READ_DOUBLES];
} probe;

static void read_attributes(probe *p)
{
    const hid_t id = H5Oopen(p->file->id, p->object, H5P_DEFAULT);
    const int   count = id >= 0 ? H5Aget_num_attrs(id) : 0;
    int64_t     ints[MAX_INTS];
    double      x;
    char        key[256];
    for (int i = 0; i < count; ++i) {
        ptrdiff_t     some = MAX_INTS;
        const ssize_t len = H5Aget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, key, sizeof key, H5P_DEFAULT);
        if (len < 0 || (size_t)len >= sizeof key) continue;
        if (nth_file_get_string(p->file, p->object, key, p->text, sizeof p->text) == NTH_OK) continue;
        if (nth_file_get_ints(p->file, p->object, key, ints, &some) == NTH_OK) continue;
        (void)!nth_file_get_double(p->file, p->object, key, &x);
    }
    if (id >= 0) H5Oclose(id);
}

/* All of a small dataset; of a large one its first row, which goes through the index of its chunks, too. */
static void read_dataset(probe *p)
{
    ptrdiff_t dims[NTH_MAX_RANK], count = 1;
    int       rank;
    if (nth_file_shape(p->file, p->object, &rank, dims) != NTH_OK) return;
    for (int i = 0; i < rank; ++i) count *= dims[i];
    if (count <= p->left) {
        if (nth_file_read_any(p->file, p->object, p->x, count) == NTH_OK) p->left -= count;
    } else if (count > 0 && count / dims[0] <= READ_DOUBLES) {
        (void)!nth_file_read_rows(p->file, p->object, 0, 1, p->x);
    }
}

static nth_status visit(const char *name, void *ctx)
{
    probe          *p = ctx;
    char            path[MAX_PATH];
    const char     *group = p->object;
    struct timespec now;
    const int       n = snprintf(path, sizeof path, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - p->start.tv_sec > MAX_SECONDS || p->depth >= MAX_DEPTH) return NTH_E_INTERRUPTED;
    if (n >= (int)sizeof path) return NTH_OK;
    p->object = path, ++p->depth;
    read_attributes(p);
    read_dataset(p);
    const nth_status st = nth_file_list(p->file, path, visit, p);
    p->object = group, --p->depth;
    return st == NTH_E_INTERRUPTED ? st : NTH_OK;
}

/* The child: silent, without a core dump, and gone without the exit handlers of its parent. */
static void walk(const char *path)
{
    const struct rlimit none = { 0, 0 }, cpu = { CPU_SECONDS, CPU_SECONDS };
    const int           null = open("/dev/null", O_WRONLY);
    probe              *p = calloc(1, sizeof *p);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)setrlimit(RLIMIT_CPU, &cpu);
    if (null >= 0) (void)dup2(null, STDOUT_FILENO), (void)dup2(null, STDERR_FILENO);
    if (p == NULL || nth_file_open(&p->file, path) != NTH_OK) _exit(0); /* opening tells why */
    (void)clock_gettime(CLOCK_MONOTONIC, &p->start);
    p->object = "/", p->left = READ_DOUBLES;
    read_attributes(p);
    (void)!nth_file_list(p->file, "/", visit, p);
    nth_file_close(&p->file);
    _exit(0);
}

nth_status nth_file_probe(const char *path)
{
    nth_status st = NTH_OK;
    int        how = 0;
    NTH_REQUIRE(path != NULL && path[0] != '\0', NTH_E_ARG, "no file name");
    const pid_t child = fork();
    if (child == 0) walk(path);
    if (child < 0) goto done; /* no room for a process: the file may still be sound */
    while (waitpid(child, &how, 0) < 0)
        if (errno != EINTR) goto done;
    const int killer = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    NTH_REQUIRE(killer != SIGXCPU && killer != SIGKILL, NTH_E_FORMAT, "%s: damaged: the HDF5 library does not come back from it", path);
    const bool survived = WIFEXITED(how) && WEXITSTATUS(how) == 0;
    NTH_REQUIRE(survived || killer == SIGINT || killer == SIGTERM, NTH_E_FORMAT,
                "%s: damaged: the HDF5 library fails on it", path);
done:
    return st;
}
