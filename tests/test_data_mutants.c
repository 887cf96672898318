/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The readers of data/ on damaged bytes: sound files, mutated again and again from a fixed seed,
 * are fed to the fuzzing entries (fuzz/fuzz_data.c), which abort when a promise is broken.
 */
#include "nth_test.h"
#include "alloc_priv.h"
#include "fuzz/fuzz_data.h"
#include "nth/rng.h"

#include <string.h>

enum { ROOM = 8192 };

typedef struct bytes {
    uint8_t at[ROOM];
    size_t  size;
} bytes;

static uint64_t draws; /* every random number of this program has its own index */

static size_t below(size_t bound) { return (size_t)nth_rand_below(bound, 11, NTH_STREAM_TEST, 0, draws++); }

static void insert(bytes *b, size_t at, const void *what, size_t size)
{
    if (b->size + size > ROOM) return;
    memmove(b->at + at + size, b->at + at, b->size - at);
    memcpy(b->at + at, what, size);
    b->size += size;
}

static void mutate(bytes *b)
{
    static const uint8_t     edge[] = { 0, 1, 9, 10, 13, 32, 34, 44, 48, 57, 61, 127, 128, 255 };
    static const char *const words[] = { "1e999", "nan", "-", "\"\"", ",,", "\n\n", "0x1", "99999999999999999999", "y", "\xef\xbb\xbf" };
    if (b->size == 0) return;
    const size_t at = below(b->size), length = 1 + below(b->size - at < 40 ? b->size - at : 40);
    uint8_t      copy[40];
    switch (below(7)) {
    case 0: b->at[at] ^= (uint8_t)(1u << below(8)); break;
    case 1: b->at[at] = edge[below(sizeof edge)]; break;
    case 2: b->at[at] = (uint8_t)below(256); break;
    case 3: b->size = at; break;
    case 4:
        memmove(b->at + at, b->at + at + length, b->size - at - length);
        b->size -= length;
        break;
    case 5:
        memcpy(copy, b->at + at, length);
        insert(b, below(b->size), copy, length);
        break;
    default: {
        const char *word = words[below(sizeof words / sizeof words[0])];
        insert(b, at, word, strlen(word));
    }
    }
}

static void feed(int (*entry)(const uint8_t *, size_t), const void *sound, size_t size, int rounds)
{
    static bytes b;
    const long   before = nth_test_live_blocks;
    nth_fuzz_accepted = 0;
    for (int r = 0; r < rounds; ++r) {
        memcpy(b.at, sound, size);
        b.size = size;
        for (size_t n = below(4) + (r > 0); n > 0; --n) mutate(&b);
        entry(b.at, b.size);
        if (!NTH_CHECK(nth_test_live_blocks == before)) return;
    }
    NTH_CHECK(nth_fuzz_accepted > rounds / 1000 && nth_fuzz_accepted < rounds); /* both ways were taken */
}

static void spec(void)
{
    static const char a[] = "csv:dir/file.csv?target=y&seed=3&n=4\ncentre=yes,project=3,pixels=raw";
    static const char b[] = "file.h5\nbias=no,unit-norm=yes,project-seed=18446744073709551615";
    feed(nth_fuzz_spec, a, sizeof a - 1, 100000);
    feed(nth_fuzz_spec, b, sizeof b - 1, 100000);
}

static void cifar(void)
{
    static uint8_t two[2 * 3073] = { [0] = 9, [3073] = 3 };
    feed(nth_fuzz_cifar, two, sizeof two, 40000);
}

static void idx(void)
{
    static const uint8_t pair[] = { 22, 0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7,
                                    6,  5, 4, 0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 9 };
    feed(nth_fuzz_idx, pair, sizeof pair, 200000);
}

static void csv(void)
{
    static const char quoted[] = "\x0c" "i,\"a b\",s,y\nx,1.5,0,red\n\"q\"\"r\",-2e3,1,blue\r\n,3,2,red\n";
    static const char plain[] = "\x02" "a;y;c\n1;2;3\n4;5;6\n\n7;8;9";
    feed(nth_fuzz_csv, quoted, sizeof quoted - 1, 120000);
    feed(nth_fuzz_csv, plain, sizeof plain - 1, 120000);
}

static void uci(void)
{
    static const char set[] = "n_entradas= 2\nn_clases= 2\nn_arquivos= 1\nn_patrons1= 3\n\xff"
                              "\tf1\tf2\tclase\n1\t0.5\t-1\t0\n2\t1e3\t2\t1\n3\t0\t0\t1\n\xff" "2 0 \n1\n";
    feed(nth_fuzz_uci, set, sizeof set - 1, 200000);
}

int main(void)
{
    return nth_test_main("data_mutants", (nth_test_case[]){
        { "spec", spec }, { "cifar", cifar }, { "idx", idx }, { "csv", csv }, { "uci", uci }, { 0 } });
}
