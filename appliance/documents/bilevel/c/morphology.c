/* Masks widened, narrowed, closed, opened and spread. */
#include "masks.h"

#include <stdlib.h>
#include <string.h>

/* -- dilation and erosion ----------------------------------------------------------------------- */

/* Dilation joins pixels by or, erosion by and. */
typedef enum { WIDEN, NARROW } Joining;

/* Joins each pixel of ``row`` with the one ``ahead`` pixels to its right, as far as there are words. */
WIDE static void join_ahead(uint64_t *restrict to, const uint64_t *restrict row, ptrdiff_t words, ptrdiff_t ahead,
                            Joining how)
{
    const uint64_t *other = row + ahead / WORD;
    ptrdiff_t shift = ahead % WORD, count = words - ahead / WORD - 1;
    if (shift == 0 && how == WIDEN)
        for (ptrdiff_t word = 0; word < count; word++)
            to[word] = row[word] | other[word];
    else if (shift == 0)
        for (ptrdiff_t word = 0; word < count; word++)
            to[word] = row[word] & other[word];
    else if (how == WIDEN)
        for (ptrdiff_t word = 0; word < count; word++)
            to[word] = row[word] | other[word] >> shift | other[word + 1] << (WORD - shift);
    else
        for (ptrdiff_t word = 0; word < count; word++)
            to[word] = row[word] & (other[word] >> shift | other[word + 1] << (WORD - shift));
}

/* Copies ``words`` words of ``line`` from pixel ``right`` on. */
static void take_from(uint64_t *to, const uint64_t *line, ptrdiff_t words, ptrdiff_t right)
{
    const uint64_t *from = line + right / WORD;
    ptrdiff_t shift = right % WORD;
    for (ptrdiff_t word = 0; word < words; word++)
        to[word] = shift ? from[word] >> shift | from[word + 1] << (WORD - shift) : from[word];
}

/* Mask of the pixels in a row's last word. */
static uint64_t last_bits(const Mask *mask)
{
    ptrdiff_t over = mask->size.width % WORD;
    return over ? (UINT64_C(1) << over) - 1 : UINT64_MAX;
}

/* Windows by doubling, as in planes.c. The margins hold the neutral value: 0 for or, 1 for and. */
static int join_across(const Mask *mask, int window, Joining how)
{
    ptrdiff_t half = window / 2, margin = window / WORD + 2, words = mask->stride + 2 * margin;
    size_t octets = (size_t)mask->stride * sizeof *mask->words;
    uint64_t *lines = calloc((size_t)(2 * words + mask->stride), sizeof *lines), *line = lines, *joined = lines + words;
    uint64_t last = last_bits(mask), *above = joined + words; /* the row above as it was */
    if (lines == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < mask->size.rows; y++) {
        uint64_t *row = row_of(mask, y);
        if (y > 0 && memcmp(row, above, octets) == 0) {
            memcpy(row, row - mask->stride, octets);
            continue;
        }
        memcpy(above, row, octets);
        if (is_empty(row, mask->stride))
            continue;
        memset(lines, how == WIDEN ? 0 : 255, (size_t)(2 * words) * sizeof *lines);
        memcpy(line + margin, row, octets);
        if (how == NARROW)
            line[margin + mask->stride - 1] |= ~last;
        ptrdiff_t covered = 1;
        for (; covered < window; covered = 2 * covered <= window ? 2 * covered : window) {
            join_ahead(joined, line, words, 2 * covered <= window ? covered : window - covered, how);
            uint64_t *other = line;
            line = joined;
            joined = other;
        }
        take_from(row, line, mask->stride, margin * WORD - half);
        row[mask->stride - 1] &= last;
    }
    free(lines);
    return 0;
}

WIDE static void join_below(uint64_t *to, const uint64_t *from, const uint64_t *below, ptrdiff_t count, Joining how)
{
    if (how == WIDEN)
        for (ptrdiff_t word = 0; word < count; word++)
            to[word] = from[word] | below[word];
    else
        for (ptrdiff_t word = 0; word < count; word++)
            to[word] = from[word] & below[word];
}

static int join_down(const Mask *mask, int window, Joining how)
{
    ptrdiff_t half = window / 2, stride = mask->stride, rows = mask->size.rows + 2 * half;
    uint64_t *words = malloc((size_t)(rows * stride) * sizeof *words);
    if (words == NULL)
        return -1;
    memset(words, how == WIDEN ? 0 : 255, (size_t)(half * stride) * sizeof *words);
    memcpy(words + half * stride, mask->words, (size_t)words_of(mask) * sizeof *words);
    memset(words + (rows - half) * stride, how == WIDEN ? 0 : 255, (size_t)(half * stride) * sizeof *words);
    ptrdiff_t covered = 1;
    for (; 2 * covered <= window; covered *= 2)
        join_below(words, words, words + covered * stride, (rows - covered) * stride, how);
    join_below(mask->words, words, words + (window - covered) * stride, words_of(mask), how);
    free(words);
    return 0;
}

static int join(const Mask *mask, int across, int down, Joining how)
{
    if (across > 1 && join_across(mask, across, how) < 0)
        return -1;
    return down > 1 ? join_down(mask, down, how) : 0;
}

int widen_mask(const Mask *mask, int across, int down)
{
    return join(mask, across, down, WIDEN);
}

static int narrow_mask(const Mask *mask, int across, int down)
{
    return join(mask, across, down, NARROW);
}

int close_mask(const Mask *mask, int across, int down)
{
    if (!any_marked(mask))
        return 0;
    return widen_mask(mask, across, down) < 0 || narrow_mask(mask, across, down) < 0 ? -1 : 0;
}

int open_mask(const Mask *mask, int across, int down)
{
    if (!any_marked(mask))
        return 0;
    return narrow_mask(mask, across, down) < 0 || widen_mask(mask, across, down) < 0 ? -1 : 0;
}

int only_runs(const Mask *mask, int across, int down)
{
    Mask lying;
    if (new_masks(&lying, 1, mask->size) < 0)
        return -1;
    copy_mask(&lying, mask);
    int failed = open_mask(&lying, across, 1) < 0 || open_mask(mask, 1, down) < 0;
    add_mask(mask, &lying);
    free_masks(&lying);
    return failed ? -1 : 0;
}

/* -- flood fill --------------------------------------------------------------------------------- */

/* Adding the start of a run to the run carries through it, which flips all its bits up to the end. */
static void spread_right(uint64_t *marked, const uint64_t *may, ptrdiff_t words)
{
    uint64_t from_left = 0;
    for (ptrdiff_t word = 0; word < words; word++) {
        uint64_t free_run = may[word], begun = (marked[word] << 1 | from_left) & free_run;
        if (begun)
            marked[word] |= (((free_run + begun) ^ free_run) | begun) & free_run;
        from_left = marked[word] >> (WORD - 1);
    }
}

static void spread_left(uint64_t *marked, const uint64_t *may, ptrdiff_t words)
{
    uint64_t from_right = 0;
    for (ptrdiff_t word = words - 1; word >= 0; word--) {
        uint64_t run = may[word], reached = (marked[word] >> 1 | from_right << (WORD - 1)) & run;
        for (int step = 1; reached && step < WORD; step *= 2) {
            reached |= run & reached >> step;
            run &= run >> step;
        }
        marked[word] |= reached;
        from_right = marked[word] & 1;
    }
}

WIDE static void spread_down(uint64_t *restrict to, const uint64_t *restrict may, const uint64_t *restrict from,
                             ptrdiff_t words)
{
    for (ptrdiff_t word = 0; word < words; word++)
        to[word] |= may[word] & from[word];
}

void sweep_mask(const Mask *marked, const Mask *may, int down)
{
    ptrdiff_t rows = marked->size.rows;
    for (ptrdiff_t y = 0; y < rows && !down; y++)
        if (any_in_row(marked, y)) {
            spread_right(row_of(marked, y), row_of(may, y), marked->stride);
            spread_left(row_of(marked, y), row_of(may, y), marked->stride);
        }
    for (ptrdiff_t y = 1; y < rows && down; y++)
        spread_down(row_of(marked, y), row_of(may, y), row_of(marked, y - 1), marked->stride);
    for (ptrdiff_t y = rows - 2; y >= 0 && down; y--)
        spread_down(row_of(marked, y), row_of(may, y), row_of(marked, y + 1), marked->stride);
}

void spread_mask(const Mask *marked, const Mask *may)
{
    for (int round = 0; round < 2; round++) {
        sweep_mask(marked, may, 1);
        sweep_mask(marked, may, 0);
    }
}
