/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Heat maps as pictures (report.h): a PNG of at most 64 x 64 palette indices, not compressed, as a data URI of some 7 kB.
 *
 * Colours are readable by the colour-blind: for signed matrices blue - white - orange about 0, else dark blue - green - yellow of
 * rising lightness; cells without a finite number are grey. Sources: PNG specification (2nd ed.), sections 5 and 10; RFC 1950; RFC 4648.
 */
#include "report.h"

#include <math.h>
#include <string.h>

/* Knots of the maps: position, red, green, blue. */
static const double SEQUENTIAL[][4] = { { 0.0, 62, 0, 84 },      { 0.25, 57, 82, 139 }, { 0.5, 33, 145, 140 },
                                        { 0.75, 94, 201, 98 },   { 1.0, 253, 231, 37 } };
static const double DIVERGING[][4] = { { 0.0, 8, 48, 107 },      { 0.25, 66, 146, 198 }, { 0.5, 247, 247, 247 },
                                       { 0.75, 241, 140, 45 },   { 1.0, 127, 39, 4 } };

heat_scale heat_scale_of(const plot *p)
{
    heat_scale s = { .low = INFINITY, .high = -INFINITY };
    for (int i = 0; i < p->zr * p->zc; ++i)
        if (isfinite(p->z[i])) s.low = fmin(s.low, p->z[i]), s.high = fmax(s.high, p->z[i]);
    if (!(s.low <= s.high)) s.low = s.high = 0.0;
    s.diverging = s.low < 0.0 && s.high > 0.0;
    if (s.diverging) s.high = fmax(s.high, -s.low), s.low = -s.high;
    return s;
}

int heat_index(const heat_scale *s, double v)
{
    if (!isfinite(v)) return 255;
    const double at = s->high > s->low ? (v - s->low) / (s->high - s->low) : 0.5;
    return (int)lround(254.0 * fmin(fmax(at, 0.0), 1.0));
}

void heat_colour(const heat_scale *s, int index, unsigned char rgb[3])
{
    const double(*map)[4] = s->diverging ? DIVERGING : SEQUENTIAL;
    const double at = (double)index / 254.0;
    int          k = 0;
    if (index == 255) {
        memset(rgb, 128, 3);
        return;
    }
    while (k < 3 && at > map[k + 1][0]) ++k;
    const double share = (at - map[k][0]) / (map[k + 1][0] - map[k][0]);
    for (int c = 0; c < 3; ++c) rgb[c] = (unsigned char)lround(map[k][c + 1] + share * (map[k + 1][c + 1] - map[k][c + 1]));
}

/* ---- PNG ---------------------------------------------------------------------------------------- */

enum { PNG_BYTES = 8 + 25 + (12 + 765 + 3) + (12 + 11 + HEAT_EDGE * (HEAT_EDGE + 1)) + 12 + 4096 };

typedef struct bytes {
    unsigned char at[PNG_BYTES];
    size_t        n;
} bytes;

static void put(bytes *b, const void *v, size_t n)
{
    memcpy(b->at + b->n, v, n);
    b->n += n;
}

static void put32(bytes *b, uint32_t v)
{
    const unsigned char four[4] = { (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v };
    put(b, four, 4);
}

static uint32_t crc(const unsigned char *v, size_t n)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; ++i) {
        c ^= v[i];
        for (int k = 0; k < 8; ++k) c = (c & 1u) != 0 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    }
    return ~c;
}

static void chunk(bytes *b, const char *type, const unsigned char *v, size_t n)
{
    put32(b, (uint32_t)n);
    const size_t from = b->n;
    put(b, type, 4);
    put(b, v, n);
    put32(b, crc(b->at + from, b->n - from));
}

/* zlib stream of one stored block (RFC 1950, 1951); n < 65536. */
static size_t store(unsigned char *to, const unsigned char *v, size_t n)
{
    uint32_t            a = 1, c = 0;
    const unsigned char head[7] = { 0x78, 0x01, 0x01, (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)~n, (unsigned char)(~n >> 8) };
    memcpy(to, head, 7);
    memcpy(to + 7, v, n);
    for (size_t i = 0; i < n; ++i) a = (a + v[i]) % 65521u, c = (c + a) % 65521u;
    const unsigned char sum[4] = { (unsigned char)(c >> 8), (unsigned char)c, (unsigned char)(a >> 8), (unsigned char)a };
    memcpy(to + 7 + n, sum, 4);
    return n + 11;
}

static void base64(FILE *f, const unsigned char *v, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t w = (uint32_t)v[i] << 16 | (i + 1 < n ? (uint32_t)v[i + 1] << 8 : 0) | (i + 2 < n ? (uint32_t)v[i + 2] : 0);
        fputc(digit[w >> 18], f), fputc(digit[w >> 12 & 63], f);
        fputc(i + 1 < n ? digit[w >> 6 & 63] : '=', f), fputc(i + 2 < n ? digit[w & 63] : '=', f);
    }
}

void report_png_uri(FILE *f, const plot *p, bool scale)
{
    static const unsigned char signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    const heat_scale           s = heat_scale_of(p);
    const int                  rows = scale ? HEAT_EDGE : p->zr, cols = scale ? 1 : p->zc;
    unsigned char              palette[3 * 256], raw[HEAT_EDGE * (HEAT_EDGE + 1)], packed[sizeof raw + 11];
    unsigned char              head[13] = { 0, 0, 0, (unsigned char)cols, 0, 0, 0, (unsigned char)rows, 8, 3, 0, 0, 0 };
    bytes                      b = { .n = 0 };
    size_t                     n = 0;
    for (int i = 0; i < 256; ++i) heat_colour(&s, i, palette + 3 * i);
    for (int i = 0; i < rows; ++i) {
        raw[n++] = 0; /* no filter */
        for (int j = 0; j < cols; ++j)
            raw[n++] = (unsigned char)(scale ? 254 - 254 * i / (HEAT_EDGE - 1) : heat_index(&s, p->z[i * p->zc + j]));
    }
    put(&b, signature, 8);
    chunk(&b, "IHDR", head, 13);
    chunk(&b, "PLTE", palette, sizeof palette);
    chunk(&b, "IDAT", packed, store(packed, raw, n));
    chunk(&b, "IEND", head, 0);
    fputs("data:image/png;base64,", f);
    base64(f, b.at, b.n);
}
