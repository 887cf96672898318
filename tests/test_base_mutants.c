/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The readers of base/ on damaged bytes: sound inputs, mutated again and again from a fixed seed,
 * are fed to the fuzzing entries (fuzz/fuzz_base.c), which abort when a promise is broken.
 *
 * HDF5 itself neither survives nor finishes every damaged file; its rounds run in child processes,
 * and a child that dies there, rather than of a broken promise of ours, is counted and told.
 */
#include "nth_test.h"
#include "fuzz/fuzz_base.h"
#include "h5_foreign.h"
#include "nth/config.h"
#include "nth/file.h"
#include "nth/rng.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 1 << 17, BROKEN = 99 };

typedef struct bytes {
    uint8_t at[ROOM];
    size_t  size;
} bytes;

static uint64_t draws; /* every random number of this program has its own index */

static size_t below(size_t bound) { return (size_t)nth_rand_below(bound, 12, NTH_STREAM_TEST, 0, draws++); }

static void insert(bytes *b, size_t at, const void *what, size_t size)
{
    if (b->size + size > ROOM) return;
    memmove(b->at + at + size, b->at + at, b->size - at);
    memcpy(b->at + at, what, size);
    b->size += size;
}

static void mutate_text(bytes *b)
{
    static const char *const words[] = { "{", "}", "[", "]", ",", "\"", "\\", "1e999", "-1", "null", "\n", "--", "=",
                                         "inf", "nan", "18446744073709551615", "\xff", "true" };
    if (b->size < 2) return;
    const size_t at = 1 + below(b->size - 1);
    switch (below(4)) {
    case 0: b->at[at] ^= (uint8_t)(1u << below(8)); break;
    case 1: b->size = at; break;
    case 2: memmove(b->at + at, b->at + at + 1, b->size - at - 1), --b->size; break;
    default: {
        const char *word = words[below(sizeof words / sizeof words[0])];
        insert(b, at, word, strlen(word));
    }
    }
}

/* The first byte is the command, whose number depends on the table. */
static void feed_text(int (*entry)(const uint8_t *, size_t), nth_command command, const char *sound, size_t size, int rounds)
{
    static bytes b;
    nth_fuzz_base_accepted = 0;
    for (int r = 0; r < rounds; ++r) {
        b.at[0] = (uint8_t)command;
        memcpy(b.at + 1, sound, size);
        b.size = size + 1;
        for (size_t n = below(4) + (r > 0); n > 0; --n) mutate_text(&b);
        entry(b.at, b.size);
    }
    NTH_CHECK(nth_fuzz_base_accepted > rounds / 1000 && nth_fuzz_base_accepted < rounds); /* both ways were taken */
}

static void configurations(void)
{
    static const char hierarchy[] = "{\"net\": \"N.h5\", \"times\": [0.5, \"inf\"],\n \"direction\": [\"V.h5:/u\"], "
                                    "\"khat\": true, \"centre\": \"yes\", \"seed\": 7}";
    static const char verify[] = "{\"check\": \"theorem-2.1\", \"widths\": \"16,32\", \"activation\": [\"tanh\"]}";
    feed_text(nth_fuzz_config, NTH_COMMAND_hierarchy, hierarchy, sizeof hierarchy - 1, 30000);
    feed_text(nth_fuzz_config, NTH_COMMAND_verify, verify, sizeof verify - 1, 30000);
}

static void command_lines(void)
{
    static const char train[] = "--net=N.h5\n--out\nR.h5\n--times\n0.5,1\n--rtol=1e-8\n--seed\n3\n--quiet\n";
    static const char info[] = "file.h5\n--json\n--threads=2\n--\n";
    feed_text(nth_fuzz_line, NTH_COMMAND_train, train, sizeof train - 1, 30000);
    feed_text(nth_fuzz_line, NTH_COMMAND_info, info, sizeof info - 1, 30000);
}

/* Flips, overwrites and cuts; most of them in the first kilobytes, where the structure is. */
static void mutate_file(bytes *b)
{
    static const uint8_t edge[] = { 0, 1, 2, 4, 8, 0x7f, 0x80, 0xff };
    const size_t         at = below(below(2) == 0 && b->size > 2048 ? 2048 : b->size);
    switch (below(4)) {
    case 0: b->at[at] ^= (uint8_t)(1u << below(8)); break;
    case 1: b->at[at] = edge[below(sizeof edge)]; break;
    case 2:
        for (size_t i = at; i < b->size && i < at + 8; ++i) b->at[i] = edge[below(sizeof edge)];
        break;
    default:
        if (below(8) == 0) b->size = at + 1;
        else b->at[at] = (uint8_t)below(256);
    }
}

static void on_abort(int signal_number)
{
    (void)signal_number;
    if (nth_fuzz_base_broken) _exit(BROKEN);
}

/* One child: `rounds` damaged files. Exit status 0 or BROKEN, or a signal. */
static int child(const bytes *sound, int rounds, uint64_t first_draw)
{
    static bytes b;
    const pid_t  pid = fork();
    int          status = -1;
    if (pid == 0) {
        draws = first_draw;
        (void)signal(SIGABRT, on_abort);
        alarm(5); /* some damage sends HDF5 into an endless loop */
        for (int r = 0; r < rounds; ++r) {
            memcpy(b.at, sound->at, sound->size);
            b.size = sound->size;
            for (size_t n = 1 + below(4); n > 0; --n) mutate_file(&b);
            nth_fuzz_hdf5(b.at, b.size);
        }
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static bool load(bytes *b, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) return false;
    b->size = fread(b->at, 1, ROOM, f);
    fclose(f);
    (void)remove(path);
    return b->size > 0 && b->size < ROOM;
}

static void feed_file(const char *path, int children)
{
    enum { ROUNDS = 50 };
    static bytes sound;
    int          died = 0;
    if (!NTH_CHECK(load(&sound, path))) return;
    nth_fuzz_base_accepted = 0;
    nth_fuzz_hdf5(sound.at, sound.size);
    NTH_CHECK(nth_fuzz_base_accepted == 1);
    for (int i = 0; i < children; ++i) {
        const int status = child(&sound, ROUNDS, (uint64_t)i << 32);
        NTH_CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != BROKEN);
        died += status != 0;
    }
    if (died > 0) printf("    %d of %d children died inside HDF5\n", died, children);
    NTH_CHECK(died < children); /* or this test shows nothing; a sanitizer sees more of HDF5's errors */
}

static void result_files(void)
{
    const nth_provenance prov = { "nth test", "{\"command\": \"test\"}", 1, 1 };
    static double        x[20000];
    nth_file            *f = NULL;
    const int64_t        widths[3] = { 6, 16, 1 };
    NTH_CHECK_OK(nth_file_create(&f, "nth_mutants.h5", &prov));
    NTH_CHECK_OK(nth_file_write(f, "/K", x, 2, (ptrdiff_t[]){ 100, 200 }));
    NTH_CHECK_OK(nth_file_write(f, "/net/W1", x, 2, (ptrdiff_t[]){ 3, 4 }));
    NTH_CHECK_OK(nth_file_set_ints(f, "/net", "widths", widths, 3));
    NTH_CHECK_OK(nth_file_commit(&f));
    feed_file("nth_mutants.h5", 12);
}

static void foreign_files(void)
{
    NTH_CHECK(nth_test_foreign_file("nth_mutants.h5") == 0);
    feed_file("nth_mutants.h5", 12);
}

int main(void)
{
    return nth_test_main("base_mutants", (nth_test_case[]){ { "configurations", configurations },
                                                            { "command_lines", command_lines },
                                                            { "result_files", result_files },
                                                            { "foreign_files", foreign_files },
                                                            { 0 } });
}
