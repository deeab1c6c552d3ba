/* Sliding maxima; minima are those of the complement.
 *
 * Along a row the maximum of a window of 19 is that of two overlapping windows of 16, which are made from those of 4.
 * Down the columns by van Herk's method, which compares less often, but along a row only one pixel at a time: the rows
 * are divided into blocks as high as the window, which is the end of one block and the beginning of the next. Each step is a loop without branches, which compilers vectorise. */
#include "planes.h"

#include <stdlib.h>
#include <string.h>

WIDE static void flip_row(uint8_t *restrict to, const uint8_t *restrict from, uint8_t flip, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++)
        to[x] = from[x] ^ flip;
}

static inline uint8_t greater_of(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

WIDE static void join_two(uint8_t *restrict to, const uint8_t *a, const uint8_t *b, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++)
        to[x] = greater_of(a[x], b[x]);
}

/* Joins four windows of ``covered`` pixels each. */
WIDE static void join_four(uint8_t *restrict to, const uint8_t *a, ptrdiff_t covered, ptrdiff_t count)
{
    const uint8_t *b = a + covered, *c = b + covered, *d = c + covered;
    for (ptrdiff_t x = 0; x < count; x++) {
        uint8_t one = greater_of(a[x], b[x]), other = greater_of(c[x], d[x]);
        to[x] = greater_of(one, other);
    }
}

/* ``lines`` is scratch: twice the width plus the window. */
static void widen_row(uint8_t *to, const uint8_t *row, uint8_t *lines, ptrdiff_t width, int window, uint8_t flip)
{
    ptrdiff_t half = window / 2, covered = 1;
    uint8_t *line = lines, *grown = lines + width + window;
    memset(line, 0, (size_t)half); /* nothing beyond the edges counts */
    flip_row(line + half, row, flip, width);
    memset(line + half + width, 0, (size_t)half);
    while (2 * covered <= window) {
        int times = 4 * covered <= window ? 4 : 2;
        if (times == 4)
            join_four(grown, line, covered, width + window - 4 * covered);
        else
            join_two(grown, line, line + covered, width + window - 2 * covered);
        covered *= times;
        uint8_t *other = line;
        line = grown;
        grown = other;
    }
    join_two(to, line, line + window - covered, width);
}

WIDE static void join_into(uint8_t *restrict to, const uint8_t *restrict other, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++)
        to[x] = greater_of(to[x], other[x]);
}

/* Adds ``row`` to the maxima of its block so far. ``to`` becomes those of the window that ends with it: ``above`` are
 * the ones of the window's rows in the block above. */
WIDE static void join_blocks(uint8_t *restrict to, uint8_t *restrict most, const uint8_t *restrict row,
                             const uint8_t *restrict above, uint8_t flip, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++) {
        most[x] = greater_of(most[x], row[x]);
        to[x] = greater_of(most[x], above[x]) ^ flip;
    }
}

int begin_widening(Widening *widening, ptrdiff_t width, int across, int down, uint8_t flip)
{
    *widening = (Widening){.width = width, .across = across, .down = down, .flip = flip};
    widening->block = malloc((size_t)((down + 2) * width + 2 * (width + across)));
    if (widening->block == NULL)
        return -1;
    widening->most = widening->block + down * width;
    widening->none = widening->most + width;
    memset(widening->none, 0, (size_t)width);
    return 0;
}

void end_widening(Widening *widening)
{
    free(widening->block);
}

void widen_next(Widening *widening, uint8_t *to, const uint8_t *from)
{
    ptrdiff_t width = widening->width, down = widening->down, y = widening->next++, at = y % down;
    uint8_t *block = widening->block, *row = block + at * width, *most = widening->most, *lines = widening->none + width;
    for (ptrdiff_t each = down - 2; each > 0 && at == 0 && y > 0 && widening->alike < down; each--)
        join_into(block + each * width, block + (each + 1) * width, width);
    if (at == 0)
        memset(most, 0, (size_t)width);
    widening->alike++;
    if (y > 0 && from != NULL && down > 1 && memcmp(from, from - width, (size_t)width) == 0)
        memcpy(row, at > 0 ? row - width : block + (down - 1) * width, (size_t)width);
    else {
        widening->alike = 1;
        if (from != NULL)
            widen_row(row, from, lines, width, widening->across, widening->flip);
        else
            memset(row, 0, (size_t)width);
    }
    if (widening->alike >= down) {
        memcpy(most, row, (size_t)width);
        flip_row(to, row, widening->flip, width);
    } else if (y < down / 2)
        join_into(most, row, width);
    else
        join_blocks(to, most, row, y < down || at == down - 1 ? widening->none : row + width, widening->flip, width);
}

static int widen(uint8_t *to, const uint8_t *from, Size size, int across, int down, uint8_t flip)
{
    ptrdiff_t width = size.width, half = down / 2;
    Widening widening;
    if (begin_widening(&widening, width, across, down, flip) < 0)
        return -1;
    for (ptrdiff_t y = 0; y < size.rows + half; y++)
        widen_next(&widening, y < half ? NULL : to + (y - half) * width, y < size.rows ? from + y * width : NULL);
    end_widening(&widening);
    return 0;
}

int widen_light(uint8_t *to, const uint8_t *from, Size size, int across, int down)
{
    return widen(to, from, size, across, down, LIGHT);
}

int widen_dark(uint8_t *to, const uint8_t *from, Size size, int across, int down)
{
    return widen(to, from, size, across, down, DARK);
}

/* Widens what ``flip`` says, then the complement: each row as soon as it is widened, while it is in the cache. */
static int widen_and_back(uint8_t *to, const uint8_t *from, Size size, int across, int down, uint8_t flip)
{
    ptrdiff_t width = size.width, half = down / 2;
    Widening there = {0}, back = {0};
    int failed = begin_widening(&there, width, across, down, flip) < 0
                 || begin_widening(&back, width, across, down, flip ^ (LIGHT ^ DARK)) < 0;
    for (ptrdiff_t y = 0; y < size.rows + 2 * half && !failed; y++) {
        uint8_t *row = y < half ? NULL : to + (y - half) * width, *result = y < 2 * half ? NULL : row - half * width;
        if (y < size.rows + half)
            widen_next(&there, row, y < size.rows ? from + y * width : NULL);
        if (y >= half)
            widen_next(&back, result, y < size.rows + half ? row : NULL);
    }
    end_widening(&there);
    end_widening(&back);
    return failed ? -1 : 0;
}

int without_dark(uint8_t *to, const uint8_t *from, Size size, int across, int down)
{
    return widen_and_back(to, from, size, across, down, LIGHT);
}

int without_light(uint8_t *to, const uint8_t *from, Size size, int across, int down)
{
    return widen_and_back(to, from, size, across, down, DARK);
}

WIDE void take_where(uint8_t *restrict to, const uint8_t *restrict from, const uint8_t *restrict where, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++)
        to[x] ^= (uint8_t)((to[x] ^ from[x]) & -where[x]);
}

/* Octets tested at a time. */
enum { PIECE = 1 << 14 };

WIDE static uint8_t all_of(const uint8_t *plane, size_t octets)
{
    uint8_t all = 0;
    for (size_t at = 0; at < octets; at++)
        all |= plane[at];
    return all;
}

int any_set(const uint8_t *plane, size_t octets)
{
    for (size_t at = 0; at < octets; at += PIECE)
        if (all_of(plane + at, octets - at < PIECE ? octets - at : PIECE))
            return 1;
    return 0;
}

WIDE int any_of(const uint16_t *values, ptrdiff_t count)
{
    uint16_t all = 0;
    for (ptrdiff_t x = 0; x < count; x++)
        all |= values[x];
    return all != 0;
}

WIDE void add_row(uint16_t *restrict columns, const uint8_t *restrict row, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        columns[x] = (uint16_t)(columns[x] + row[x]);
}

WIDE void take_row_off(uint16_t *restrict columns, const uint8_t *restrict row, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        columns[x] = (uint16_t)(columns[x] - row[x]);
}

int count_around(uint16_t *counts, const uint8_t *mask, Size size, int across, int down)
{
    ptrdiff_t side = across / 2, above = down / 2, width = size.width;
    uint16_t *padded = calloc((size_t)(width + 2 * side + 1), sizeof *padded), *columns = padded + side + 1;
    if (padded == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < above && y < size.rows; y++)
        add_row(columns, mask + y * width, width);
    for (ptrdiff_t y = 0; y < size.rows; y++, counts += width) {
        if (y + above < size.rows)
            add_row(columns, mask + (y + above) * width, width);
        if (y > above)
            take_row_off(columns, mask + (y - above - 1) * width, width);
        if (!any_of(columns, width)) {
            memset(counts, 0, (size_t)width * sizeof *counts);
            continue;
        }
        uint32_t sum = 0;
        for (ptrdiff_t x = 0; x < side && x < width; x++)
            sum += columns[x];
        for (ptrdiff_t x = 0; x < width; x++)
            counts[x] = (uint16_t)(sum += (uint32_t)columns[x + side] - columns[x - side - 1]);
    }
    free(padded);
    return 0;
}

WIDE static void spread_down(uint8_t *restrict to, const uint8_t *restrict may, const uint8_t *restrict from,
                             ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        to[x] |= may[x] & from[x];
}

void sweep(uint8_t *marked, const uint8_t *may, Size size, int down)
{
    ptrdiff_t width = size.width;
    if (down) {
        for (ptrdiff_t y = 1; y < size.rows; y++)
            spread_down(marked + y * width, may + y * width, marked + (y - 1) * width, width);
        for (ptrdiff_t y = size.rows - 2; y >= 0; y--)
            spread_down(marked + y * width, may + y * width, marked + (y + 1) * width, width);
        return;
    }
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        uint8_t *row = marked + y * width;
        const uint8_t *free_row = may + y * width;
        const uint8_t *first = memchr(row, 1, (size_t)width);
        if (first == NULL)
            continue;
        for (ptrdiff_t x = first - row + 1; x < width; x++)
            row[x] |= free_row[x] & row[x - 1];
        for (ptrdiff_t x = width - 2; x >= 0; x--)
            row[x] |= free_row[x] & row[x + 1];
    }
}
