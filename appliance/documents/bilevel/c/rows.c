/* Classifies the rows of a grey page: white, black on white, or more than that. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

enum { GREY_AREA = 8 }; /* flag: the row is within a grey area */

/* Marks pixels that are ink, and those that are white. Returns the kind of the row. */
WIDE static uint8_t tell_apart(uint8_t *restrict inks, uint8_t *restrict whites, const uint8_t *restrict row,
                               uint8_t ink_below, uint8_t white_from, ptrdiff_t width)
{
    uint8_t neither = 0, not_white = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t ink = row[x] < ink_below, white = row[x] >= white_from;
        inks[x] = ink;
        whites[x] = white;
        neither |= (ink | white) ^ 1;
        not_white |= white ^ 1;
    }
    return neither ? ROW_TONED : not_white ? ROW_PLAIN : ROW_WHITE;
}

/* Sets row ``y`` of the masks from its lines ``inks`` and ``whites`` and its ``kind``. */
static void take_kinds(const Mask *ink, const Mask *white, const Mask *neither, ptrdiff_t y, const uint8_t *inks,
                       const uint8_t *whites, uint8_t kind)
{
    ptrdiff_t words = ink->stride, width = ink->size.width;
    uint64_t *of_ink = row_of(ink, y), *of_white = row_of(white, y), *of_neither = row_of(neither, y);
    if (kind == ROW_WHITE)
        memset(of_ink, 0, (size_t)words * sizeof *of_ink);
    else
        take_line(ink, y, inks);
    if (kind == ROW_WHITE)
        mark_run(white, y, 0, width);
    else
        take_line(white, y, whites);
    for (ptrdiff_t word = 0; word < words; word++)
        of_neither[word] = ~(of_ink[word] | of_white[word]);
    if (width % WORD)
        of_neither[words - 1] &= (UINT64_C(1) << width % WORD) - 1;
}

static void repeat_kinds(const Mask *mask, ptrdiff_t y)
{
    memcpy(row_of(mask, y), row_of(mask, y - 1), (size_t)mask->stride * sizeof *mask->words);
}

/* Number of pixels that are neither ink nor white and lack one of them nearby. */
static ptrdiff_t count_tones(const uint64_t *neither, const uint64_t *ink_near, const uint64_t *white_near,
                             ptrdiff_t words)
{
    ptrdiff_t count = 0;
    for (ptrdiff_t word = 0; word < words; word++) {
        uint64_t lost = neither[word] & ~(ink_near[word] & white_near[word]);
        if (lost)
            count += bits_in(lost);
    }
    return count;
}

/* A black area this wide, and solid_rows high, is not type; what is white on it is. */
enum { SOLID_ACROSS = 64 };
/* Grey areas from this size on, in pixels and rows at 196 dpi, count as tones: those of a legend must match the
 * chart's. */
enum { GREY_ACROSS = 16, GREY_ROWS = 12, GREY_FROM = 40 };

/* Whether ``across`` pixels, a power of two up to WORD, are marked side by side. ``scratch`` is a word longer. */
static int has_long_run(uint64_t *scratch, const uint64_t *row, ptrdiff_t words, int across)
{
    uint64_t some = 0;
    memcpy(scratch, row, (size_t)words * sizeof *row);
    scratch[words] = 0;
    for (int covered = 1; covered < across; covered *= 2)
        for (ptrdiff_t word = 0; word < words; word++)
            scratch[word] &= scratch[word] >> covered | scratch[word + 1] << (WORD - covered);
    for (ptrdiff_t word = 0; word < words; word++)
        some |= scratch[word];
    return some != 0;
}

WIDE static int mark_grey(uint8_t *restrict greys, const uint8_t *restrict inks, const uint8_t *restrict row,
                          ptrdiff_t width)
{
    uint8_t some = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        greys[x] = inks[x] & (row[x] >= GREY_FROM);
        some |= greys[x];
    }
    return some;
}

int tell_rows(uint8_t *kinds, const uint8_t *grey, ptrdiff_t stride, Size page, uint8_t ink_below,
              uint8_t white_from, ptrdiff_t solid_rows, ptrdiff_t spared)
{
    enum { NEAR = 3, BAND = 64, INK = 0, WHITE, NEITHER, MASKS };
    ptrdiff_t width = page.width;
    Mask masks[MASKS] = {0}, *ink = masks + INK, *white = masks + WHITE, *neither = masks + NEITHER;
    Mask greys = {0};
    uint8_t *inks = new_line(page), *line = new_line(page);
    int failed = new_masks(masks, MASKS, (Size){width, BAND + 2 * NEAR}) < 0 || inks == NULL || line == NULL
                 || new_masks(&greys, 1, (Size){width, 1}) < 0;
    uint64_t *scratch = failed ? NULL : malloc((size_t)(greys.stride + 1) * sizeof *scratch);
    failed = failed || scratch == NULL;
    ptrdiff_t solid = 0, solid_grey = 0; /* rows up to this one */
    ptrdiff_t tones = 0;
    int has_area = 0, is_toned = 0;
    ptrdiff_t grey_rows = solid_rows * GREY_ROWS / SOLID_ROWS;
    for (ptrdiff_t top = 0; top < page.rows && !failed && !is_toned; top += BAND) {
        ptrdiff_t from = top < NEAR ? 0 : top - NEAR, below = top + BAND < page.rows ? top + BAND : page.rows;
        ptrdiff_t to = below + NEAR < page.rows ? below + NEAR : page.rows;
        int some = 0, has_solid = 0, has_grey = 0;
        uint8_t kind = ROW_WHITE;
        for (ptrdiff_t y = from; y < to; y++) {
            const uint8_t *row = grey + y * stride;
            int is_new = y == from || memcmp(row, row - stride, (size_t)width) != 0;
            if (is_new) {
                kind = tell_apart(inks, line, row, ink_below, white_from, width);
                take_kinds(ink, white, neither, y - from, inks, line, kind);
            } else
                for (int each = 0; each < MASKS; each++)
                    repeat_kinds(masks + each, y - from);
            some |= kind == ROW_TONED;
            if (y < top || y >= below)
                continue;
            kinds[y] = kind;
            if (is_new || y == top) {
                const uint64_t *of_ink = row_of(ink, y - from);
                has_solid = kind != ROW_WHITE && spared == EVERY_TONE
                            && has_long_run(scratch, of_ink, ink->stride, SOLID_ACROSS);
                has_grey = kind != ROW_WHITE && mark_grey(line, inks, row, width);
                if (has_grey) {
                    take_line(&greys, 0, line);
                    has_grey = has_long_run(scratch, greys.words, greys.stride, GREY_ACROSS);
                }
            }
            solid = has_solid ? solid + 1 : 0;
            solid_grey = has_grey ? solid_grey + 1 : 0;
            if (solid >= solid_rows)
                kinds[y] |= ROW_SOLID;
            if (solid_grey >= grey_rows) {
                kinds[y] |= ROW_TONED | GREY_AREA;
                has_area = 1;
            }
        }
        ink->size.rows = white->size.rows = to - from;
        failed = some && (widen_mask(ink, 2 * NEAR + 1, 2 * NEAR + 1) < 0
                          || widen_mask(white, 2 * NEAR + 1, 2 * NEAR + 1) < 0);
        for (ptrdiff_t y = top; y < below && some && !failed; y++) {
            if (!(kinds[y] & ROW_TONED) || (kinds[y] & GREY_AREA))
                continue;
            ptrdiff_t count = count_tones(row_of(neither, y - from), row_of(ink, y - from), row_of(white, y - from),
                                          ink->stride);
            tones += count;
            if (count == 0)
                kinds[y] = (uint8_t)(ROW_PLAIN | (kinds[y] & ROW_SOLID));
        }
        is_toned = spared != EVERY_TONE && (has_area || tones > spared);
    }
    for (ptrdiff_t y = 0; y < page.rows && spared != EVERY_TONE && !is_toned; y++)
        if (kinds[y] & ROW_TONED)
            kinds[y] = (uint8_t)(ROW_PLAIN | (kinds[y] & ROW_SOLID));
    free_masks(masks);
    free_masks(&greys);
    free(inks);
    free(line);
    free(scratch);
    return failed ? -1 : is_toned;
}
