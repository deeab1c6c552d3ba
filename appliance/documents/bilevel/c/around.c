#include "around.h"

#include <string.h>

int begin_around(Around *around, const Mask *mask, int across, int down)
{
    /* Zeros beyond the edges: windows by doubling read farther than the box is wide. */
    size_t padded = (size_t)(mask->size.width + 2 * across);
    *around = (Around){.mask = mask, .across = across, .down = down};
    around->columns = calloc(padded, sizeof *around->columns);
    around->sums = malloc(2 * padded * sizeof *around->sums);
    around->counts = malloc((size_t)mask->size.width * sizeof *around->counts);
    around->line = new_line(mask->size);
    if (around->columns == NULL || around->sums == NULL || around->counts == NULL || around->line == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < down / 2 && y < mask->size.rows; y++) {
        put_line(mask, y, around->line);
        for (ptrdiff_t x = 0; x < mask->size.width; x++)
            around->columns[across / 2 + x] += around->line[x];
    }
    return 0;
}

void end_around(Around *around)
{
    free(around->columns);
    free(around->sums);
    free(around->counts);
    free(around->line);
}

WIDE static void add_counts(uint16_t *restrict counts, const uint16_t *restrict sums, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        counts[x] = (uint16_t)(counts[x] + sums[x]);
}

WIDE static void double_sums(uint16_t *restrict to, const uint16_t *restrict sums, ptrdiff_t covered, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++)
        to[x] = (uint16_t)(sums[x] + sums[x + covered]);
}

const uint16_t *next_around(Around *around)
{
    const Mask *mask = around->mask;
    ptrdiff_t width = mask->size.width, y = around->next++, above = around->down / 2;
    ptrdiff_t padded = width + 2 * around->across;
    uint16_t *columns = around->columns + around->across / 2;
    if (y + above < mask->size.rows && any_in_row(mask, y + above)) {
        put_line(mask, y + above, around->line);
        add_row(columns, around->line, width);
    }
    if (y > above && any_in_row(mask, y - above - 1)) {
        put_line(mask, y - above - 1, around->line);
        take_row_off(columns, around->line, width);
    }
    if (!any_of(columns, width))
        return NULL;
    memset(around->counts, 0, (size_t)width * sizeof *around->counts);
    const uint16_t *sums = around->columns; /* sums of ``covered`` columns each */
    uint16_t *doubled = around->sums, *other = around->sums + padded;
    ptrdiff_t begun = 0; /* columns of the box already summed */
    for (ptrdiff_t covered = 1; covered <= around->across; covered *= 2) {
        if (around->across & covered) {
            add_counts(around->counts, sums + begun, width);
            begun += covered;
        }
        if (2 * covered > around->across)
            break;
        padded -= covered;
        double_sums(doubled, sums, covered, padded);
        sums = doubled;
        doubled = other;
        other = (uint16_t *)sums;
    }
    return around->counts;
}

WIDE static void mark_more(uint8_t *restrict line, const uint16_t *restrict counts, uint16_t than, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = counts[x] > than;
}

int where_dense(const Mask *dense, const Mask *mask, int across, int down, int percent)
{
    Around around;
    uint8_t *line = new_line(mask->size);
    int failed = begin_around(&around, mask, across, down) < 0 || line == NULL;
    for (ptrdiff_t y = 0; y < mask->size.rows && !failed; y++) {
        const uint16_t *counts = next_around(&around);
        if (counts == NULL) {
            memset(row_of(dense, y), 0, (size_t)dense->stride * sizeof *dense->words);
            continue;
        }
        mark_more(line, counts, (uint16_t)(across * down * percent / 100), mask->size.width);
        take_line(dense, y, line);
    }
    end_around(&around);
    free(line);
    return failed ? -1 : 0;
}
