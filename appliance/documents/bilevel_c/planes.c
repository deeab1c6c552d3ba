/* Sliding extremes by doubling: the extreme of a window of 19 is that of two windows of 16, which are made
 * from those of 8, 4, 2.  Each step is one loop without branches, of which a compiler makes vector
 * instructions; van Herk's method compares less often but one pixel at a time. */
#include "masks.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 256 /* columns at a time when looking down, so that they stay in the cache */

WIDE static void greater(uint8_t *restrict to, const uint8_t *a, const uint8_t *b, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++)
        to[x] = a[x] > b[x] ? a[x] : b[x];
}

WIDE static void lesser(uint8_t *restrict to, const uint8_t *a, const uint8_t *b, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++)
        to[x] = a[x] < b[x] ? a[x] : b[x];
}

WIDE static void grow(uint8_t *values, ptrdiff_t ahead, ptrdiff_t count, int light)
{
    /* In place: what is read ahead has not been written yet. */
    if (light)
        for (ptrdiff_t x = 0; x < count; x++)
            values[x] = values[x] > values[x + ahead] ? values[x] : values[x + ahead];
    else
        for (ptrdiff_t x = 0; x < count; x++)
            values[x] = values[x] < values[x + ahead] ? values[x] : values[x + ahead];
}

static int across_rows(uint8_t *plane, Size size, int window, int light)
{
    ptrdiff_t half = window / 2, padded = size.width + 2 * half;
    uint8_t *line = malloc((size_t)padded);
    if (line == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        uint8_t *row = plane + y * size.width;
        /* Beyond the edge the edge goes on: neither white nor black comes in from there. */
        memset(line, row[0], (size_t)half);
        memcpy(line + half, row, (size_t)size.width);
        memset(line + half + size.width, row[size.width - 1], (size_t)half);
        ptrdiff_t covered = 1;
        for (; 2 * covered <= window; covered *= 2)
            grow(line, covered, padded - covered, light);
        if (light)
            greater(row, line, line + window - covered, size.width);
        else
            lesser(row, line, line + window - covered, size.width);
    }
    free(line);
    return 0;
}

static int down_columns(uint8_t *plane, Size size, int window, int light)
{
    ptrdiff_t half = window / 2, padded = size.rows + 2 * half;
    uint8_t *block = malloc((size_t)padded * BLOCK);
    if (block == NULL)
        return -1;
    for (ptrdiff_t left = 0; left < size.width; left += BLOCK) {
        ptrdiff_t count = size.width - left < BLOCK ? size.width - left : BLOCK;
        for (ptrdiff_t y = 0; y < padded; y++) {
            ptrdiff_t from = y < half ? 0 : y - half >= size.rows ? size.rows - 1 : y - half;
            memcpy(block + y * BLOCK, plane + from * size.width + left, (size_t)count);
            if (count < BLOCK)
                memset(block + y * BLOCK + count, 0, (size_t)(BLOCK - count));
        }
        ptrdiff_t covered = 1;
        for (; 2 * covered <= window; covered *= 2)
            grow(block, covered * BLOCK, (padded - covered) * BLOCK, light);
        for (ptrdiff_t y = 0; y < size.rows; y++) {
            const uint8_t *one = block + y * BLOCK, *other = one + (window - covered) * BLOCK;
            if (light)
                greater(plane + y * size.width + left, one, other, count);
            else
                lesser(plane + y * size.width + left, one, other, count);
        }
    }
    free(block);
    return 0;
}

/* What a plane is made of. */
enum { NOTHING, BITS, GREYS };
enum { PIECE = 1 << 14 };

WIDE static uint8_t all_of(const uint8_t *plane, size_t octets)
{
    uint8_t all = 0;
    for (size_t at = 0; at < octets; at++)
        all |= plane[at];
    return all;
}

static int made_of(const uint8_t *plane, size_t octets)
{
    uint8_t all = 0;
    for (size_t at = 0; at < octets && all <= 1; at += PIECE)
        all |= all_of(plane + at, octets - at < PIECE ? octets - at : PIECE);
    return all == 0 ? NOTHING : all == 1 ? BITS : GREYS;
}

int any_set(const uint8_t *plane, size_t octets)
{
    for (size_t at = 0; at < octets; at += PIECE)
        if (all_of(plane + at, octets - at < PIECE ? octets - at : PIECE))
            return 1;
    return 0;
}

static int widen_greys(uint8_t *plane, Size size, int across, int down, int light)
{
    if (across > 1 && across_rows(plane, size, across, light) < 0)
        return -1;
    return down > 1 ? down_columns(plane, size, down, light) : 0;
}

static int widen_bits(Mask *mask, int across, int down, int light)
{
    return light ? widen_mask(mask, across, down) : narrow_mask(mask, across, down);
}

/* Towards light or dark, and ``back`` again. */
static int widen(uint8_t *plane, Size size, int across, int down, int light, int back)
{
    Mask mask;
    switch (made_of(plane, (size_t)(size.width * size.rows))) {
    case NOTHING:
        return 0;
    case BITS:
        if (take_mask(&mask, plane, size, down) < 0)
            return -1;
        int failed = widen_bits(&mask, across, down, light) < 0 || (back && widen_bits(&mask, across, down, !light) < 0);
        put_mask(&mask, plane);
        free_mask(&mask);
        return failed ? -1 : 0;
    default:
        if (widen_greys(plane, size, across, down, light) < 0)
            return -1;
        return back ? widen_greys(plane, size, across, down, !light) : 0;
    }
}

int widen_light(uint8_t *plane, Size size, int across, int down)
{
    return widen(plane, size, across, down, 1, 0);
}

int widen_dark(uint8_t *plane, Size size, int across, int down)
{
    return widen(plane, size, across, down, 0, 0);
}

int without_dark(uint8_t *plane, Size size, int across, int down)
{
    return widen(plane, size, across, down, 1, 1);
}

int without_light(uint8_t *plane, Size size, int across, int down)
{
    return widen(plane, size, across, down, 0, 1);
}

WIDE static int any_of(const uint16_t *values, ptrdiff_t count)
{
    uint16_t all = 0;
    for (ptrdiff_t x = 0; x < count; x++)
        all |= values[x];
    return all != 0;
}

int count_around(uint16_t *counts, const uint8_t *mask, Size size, int across, int down)
{
    ptrdiff_t side = across / 2, above = down / 2, width = size.width;
    uint16_t *columns = calloc((size_t)width, sizeof *columns);
    if (columns == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < above && y < size.rows; y++)
        for (ptrdiff_t x = 0; x < width; x++)
            columns[x] += mask[y * width + x];
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        if (y + above < size.rows)
            for (ptrdiff_t x = 0; x < width; x++)
                columns[x] += mask[(y + above) * width + x];
        if (y > above)
            for (ptrdiff_t x = 0; x < width; x++)
                columns[x] -= mask[(y - above - 1) * width + x];
        if (!any_of(columns, width)) {
            memset(counts + y * width, 0, (size_t)width * sizeof *counts);
            continue;
        }
        uint32_t sum = 0;
        for (ptrdiff_t x = 0; x < side && x < width; x++)
            sum += columns[x];
        for (ptrdiff_t x = 0; x < width; x++) {
            if (x + side < width)
                sum += columns[x + side];
            if (x > side)
                sum -= columns[x - side - 1];
            counts[y * width + x] = (uint16_t)sum;
        }
    }
    free(columns);
    return 0;
}

int only_runs(uint8_t *mask, Size size, int across, int down)
{
    size_t octets = (size_t)(size.width * size.rows);
    uint8_t *lying = malloc(octets);
    if (lying == NULL)
        return -1;
    memcpy(lying, mask, octets);
    int failed = without_light(lying, size, across, 1) < 0 || without_light(mask, size, 1, down) < 0;
    for (size_t at = 0; at < octets; at++)
        mask[at] |= lying[at];
    free(lying);
    return failed ? -1 : 0;
}

WIDE static void spread_down(uint8_t *restrict to, const uint8_t *restrict may, const uint8_t *restrict from, ptrdiff_t width)
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
