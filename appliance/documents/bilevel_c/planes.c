/* Sliding minima and maxima by doubling: the extreme of a window of 19 is that of two overlapping windows of 16,
 * which are made from those of 8, 4 and 2. Each step is a loop without branches, which compilers vectorise; van
 * Herk's method compares less often, but one pixel at a time.
 *
 * Each row is widened across, then passes through windows of 2, 4, 8 and 16 rows. Only the last rows of each are
 * kept, so that the working set stays in the cache. */
#include "planes.h"

#include <stdlib.h>
#include <string.h>

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

static void take_extreme(uint8_t *to, const uint8_t *a, const uint8_t *b, ptrdiff_t count, int light)
{
    if (light)
        greater(to, a, b, count);
    else
        lesser(to, a, b, count);
}

/* ``lines`` is scratch: twice the width plus the window. */
static void widen_row(uint8_t *to, const uint8_t *row, uint8_t *lines, ptrdiff_t width, int window, int light)
{
    ptrdiff_t half = window / 2, count = width + 2 * half, covered = 1;
    if (window == 1) {
        memcpy(to, row, (size_t)width);
        return;
    }
    uint8_t *line = lines, *grown = lines + count;
    /* The first and last pixel are repeated beyond the edges, so that neither white nor black enters. */
    count -= covered;
    memset(line, row[0], (size_t)half);
    take_extreme(line + half, row, row + 1, width - 1, light);
    memset(line + half + width - 1, row[width - 1], (size_t)half);
    for (covered = 2; 2 * covered <= window; covered *= 2) {
        count -= covered;
        take_extreme(grown, line, line + covered, count, light);
        uint8_t *other = line;
        line = grown;
        grown = other;
    }
    take_extreme(to, line, line + window - covered, width, light);
}

/* Ring buffer of the last rows of one window height. */
typedef struct {
    uint8_t *rows;
    ptrdiff_t kept, width;
} Kept;

static uint8_t *kept_row(const Kept *kept, ptrdiff_t row)
{
    return kept->rows + row % kept->kept * kept->width;
}

enum { MOST_LEVELS = 16 }; /* windows of up to 65,535 rows */

/* Sets how many rows each level keeps and their sum; returns the last level. */
static int plan_levels(Kept *levels, ptrdiff_t width, int window, ptrdiff_t *rows)
{
    int level = 0;
    *rows = 0;
    for (ptrdiff_t covered = 1;; covered *= 2, level++) {
        int is_last = 2 * covered > window || level == MOST_LEVELS - 1;
        levels[level] = (Kept){NULL, is_last ? window - covered + 1 : covered + 1, width};
        *rows += levels[level].kept;
        if (is_last)
            return level;
    }
}

static int widen(uint8_t *to, const uint8_t *from, Size size, int across, int down, int light)
{
    Kept levels[MOST_LEVELS];
    ptrdiff_t width = size.width, half = down / 2, rows;
    int last = plan_levels(levels, width, down, &rows);
    size_t scratch = 2 * (size_t)(width + across);
    uint8_t *lines = malloc(scratch + (size_t)(rows * width)), *next = lines + scratch;
    if (lines == NULL)
        return -1;
    for (int level = 0; level <= last; level++) {
        levels[level].rows = next;
        next += levels[level].kept * width;
    }
    for (ptrdiff_t newest = 0; newest < size.rows + 2 * half; newest++) {
        ptrdiff_t y = newest - half;
        if (newest > 0 && (y <= 0 || y >= size.rows)) /* the edge row is repeated */
            memcpy(kept_row(levels, newest), kept_row(levels, newest - 1), (size_t)width);
        else
            widen_row(kept_row(levels, newest), from + (y < 0 ? 0 : y) * width, lines, width, across, light);
        ptrdiff_t covered = 1, at = newest;
        for (int level = 0; level < last; level++, covered *= 2, at -= covered / 2)
            if (at - covered >= 0)
                take_extreme(kept_row(levels + level + 1, at - covered), kept_row(levels + level, at - covered),
                             kept_row(levels + level, at), width, light);
        ptrdiff_t row = newest - (down - 1);
        if (row >= 0)
            take_extreme(to + row * width, kept_row(levels + last, row), kept_row(levels + last, at), width, light);
    }
    free(lines);
    return 0;
}

int widen_light(uint8_t *to, const uint8_t *from, Size size, int across, int down)
{
    return widen(to, from, size, across, down, 1);
}

int widen_dark(uint8_t *to, const uint8_t *from, Size size, int across, int down)
{
    return widen(to, from, size, across, down, 0);
}

int without_dark(uint8_t *to, const uint8_t *from, Size size, int across, int down)
{
    return widen(to, from, size, across, down, 1) < 0 || widen(to, to, size, across, down, 0) < 0 ? -1 : 0;
}

int without_light(uint8_t *to, const uint8_t *from, Size size, int across, int down)
{
    return widen(to, from, size, across, down, 0) < 0 || widen(to, to, size, across, down, 1) < 0 ? -1 : 0;
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
